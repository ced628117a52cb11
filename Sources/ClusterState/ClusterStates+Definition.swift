public import JSONValues
internal import KubernetesAPI
public import Model

extension ClusterStates {
    /// What keeping states in a cluster needs.
    public static var permissions: [ClusterPermission] {
        [
            ClusterPermission(
                .systems, group: StateObjects.resource.group, resources: [StateObjects.resource.plural], verbs: ["get", "create", "patch"],
                "Keeps the state of each system in an object of its own beside it, with its lock.")
        ]
    }

    /// The definition of kind `SystemState` for a cluster, which must be there before a state can be kept in it.
    public static var definition: JSON {
        let hold: JSON = [
            "description": "Who works on the system; not there when nobody does.", "type": "object",
            "properties": [
                "id": ["description": "Of this one hold.", "type": "string"],
                "beat": ["description": "Counts the signs that the holder has shown.", "type": "integer", "format": "int64"],
                "leaseMilliseconds": [
                    "description": "Without a sign for this long, by the clock of whoever looks, somebody else may take it.",
                    "type": "integer", "format": "int64",
                ],
                "holder": [
                    "type": "object",
                    "properties": [
                        "user": text, "host": text, "boot": text, "pid": ["type": "integer", "format": "int64"], "command": text,
                        "since": text,
                    ],
                ],
            ],
        ]
        let properties: JSON = [
            "apiVersion": text, "kind": text, "metadata": ["type": "object"],
            "system": ["description": "NAMESPACE/NAME of the system.", "type": "string"],
            "chain": ["description": "Part of the names of the segments: NAME.CHAIN.NUMBER.", "type": "string"],
            "key": ["description": "Of keyed hashes of configuration values, 64 hexadecimal digits.", "type": "string"],
            "epoch": ["description": "Counts those who had the lock.", "type": "integer", "format": "int64"],
            "lock": hold,
            "segments": ["description": "How many objects hold older lines of the journal.", "type": "integer", "format": "int64"],
            "segment": ["description": "The number of this segment; only in a segment.", "type": "integer", "format": "int64"],
            "journal": [
                "description": "Lines of the journal by their number, each with the hash of the one before.", "type": "object",
                "additionalProperties": text,
            ],
        ]
        let version: JSON = [
            "name": .string(StateObjects.resource.version), "served": true, "storage": true,
            "schema": [
                "openAPIV3Schema": [
                    "description": "What Belay remembers of a system. Written by Belay alone.", "type": "object", "required": ["system"],
                    "properties": properties,
                ]
            ],
            "additionalPrinterColumns": [
                column("System", ".system"), column("Locked by", ".lock.holder.user"), column("On", ".lock.holder.host"),
                column("Since", ".lock.holder.since"), column("Segments", ".segments", "integer"),
                column("Age", ".metadata.creationTimestamp", "date"),
            ],
        ]
        let resource = StateObjects.resource
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string(resource.qualifiedName)],
            "spec": [
                "group": .string(resource.group),
                "names": [
                    "kind": .string(resource.kind), "listKind": .string(resource.kind + "List"), "plural": .string(resource.plural),
                    "singular": "systemstate",
                ],
                "scope": "Namespaced", "versions": [version],
            ],
        ]
    }

    private static var text: JSON { ["type": "string"] }

    private static func column(_ name: String, _ path: String, _ type: String = "string") -> JSON {
        ["name": .string(name), "type": .string(type), "jsonPath": .string(path)]
    }
}
