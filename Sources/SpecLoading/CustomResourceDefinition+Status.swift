import JSONValues

extension CustomResourceDefinition {
    /// What `kubectl get systems` shows; those of priority 1 with `-o wide`.
    static let columns: JSON = [
        column("Pinned", ".status.pins", "Pins that are live, of all."),
        column("Phase", ".status.phase", "The phase of a plan, or how the last pass ended."),
        column("Ready", #".status.conditions[?(@.type=="Ready")].status"#, "Whether every pin is live and healthy."),
        column("Revision", ".status.revision", "The generation, or the commit, whose pins are wanted."),
        column("Age", ".metadata.creationTimestamp", nil, type: "date"),
        column("Reason", #".status.conditions[?(@.type=="Ready")].reason"#, "Why it is ready or not.", isWide: true),
        column("Message", #".status.conditions[?(@.type=="Ready")].message"#, "The same in words.", isWide: true),
    ]

    private static func column(_ name: String, _ path: String, _ doc: String?, type: String = "string", isWide: Bool = false) -> JSON {
        var column: JSON = ["name": .string(name), "type": .string(type)]
        column["description"] = doc.map { .string($0) }
        column["jsonPath"] = .string(path)
        if isWide { column["priority"] = 1 }
        return column
    }

    /// The schema of what Belay writes about an object.
    static var status: JSON {
        func text(_ doc: String) -> JSON { ["description": .string(doc), "type": "string"] }
        func number(_ doc: String) -> JSON { ["description": .string(doc), "type": "integer", "format": "int64"] }
        let time: JSON = ["description": "When the status of the condition changed last.", "type": "string", "format": "date-time"]
        let condition: JSON = [
            "type": "object", "required": ["type", "status", "lastTransitionTime", "reason"],
            "properties": [
                "type": text("Ready, Reconciling, Stalled, Drifted, SchemaDrift or MigrationsStale."),
                "status": ["description": "True, False or Unknown.", "type": "string", "enum": ["True", "False", "Unknown"]],
                "observedGeneration": number("The generation that it is about."),
                "lastTransitionTime": time, "reason": text("One word for machines."), "message": text("For people."),
            ],
        ]
        let resource: JSON = [
            "type": "object", "required": ["name", "pin", "state"],
            "properties": [
                "name": text("component/NAME, database/NAME or flag/NAME."), "pin": text("What the spec pins."),
                "live": text("What runs, is applied or is set; left out when nothing is, or nobody knows."),
                "state": text("InSync, or what keeps it from its pin, in one word."), "difference": text("The same in words."),
                "lastKnownGood": text("The newest release that passed its checks."),
                "source": text("Of a database, the repository that its migrations are read from, where the spec names one."),
                "commit": text("The commit of it that they are read from; what is away or wrong is in the conditions."),
            ],
        ]
        return [
            "description": "Written by Belay: a summary; what is remembered is kept elsewhere.", "type": "object",
            "properties": [
                "observedGeneration": number("The newest generation that was looked at, whether it loads or not."),
                "revision": text("The generation, or the commit, whose pins are wanted."),
                "acceptedRevision": text("The one that was last reconciled."),
                "phase": text("The phase of a plan, or how the last pass ended."),
                "pinned": number("How many pins are live."), "total": number("How many pins there are."), "pins": text("Both: 3/4."),
                "resources": [
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": resource,
                ],
                "conditions": [
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"], "items": condition,
                ],
            ],
        ]
    }
}
