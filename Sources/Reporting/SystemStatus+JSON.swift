public import JSONValues
import Model
import Planning

extension SystemStatus {
    /// One item of `reconcile status -o json`.
    public var json: JSON {
        [
            "system": .string(system.description),
            "revision": .string(revision.id),
            "dirty": .bool(revision.isDirty),
            "acceptedRevision": .optional(accepted?.id),
            "conditions": .array(conditions.map(\.json)),
            "components": .array(components.map(\.json)),
            "databases": .array(databases.map(\.json)),
            "flags": flags?.json ?? [],
            "transition": transition.map { transition in
                [
                    "id": .string(transition.id), "revision": .string(transition.revision.id),
                    "opened": .string(transition.opened.description),
                    "obligations": .array(transition.obligations.map(\.description).sorted().map(JSON.string)),
                ]
            } ?? .null,
            "notes": .array(notes.map(JSON.string)),
            "lockedBy": .optional(holder),
        ]
    }
}

extension ComponentStatus {
    var json: JSON {
        [
            "name": .string(name), "provider": .string(provider), "pinned": .string(pinned.description), "resolved": .optional(resolved),
            "live": .optional(live), "alsoServing": .array(alsoServing.map(JSON.string)), "lastKnownGood": .optional(lastKnownGood),
            "state": .string(state.rawValue), "message": .string(detail), "notes": .array(notes.map(JSON.string)),
            "previous": .optional(previous), "fence": fence.json, "configuration": configuration?.json ?? .null,
            "drift": drift?.json ?? .null,
        ]
    }
}

extension FenceStatus {
    var json: JSON {
        [
            "state": .string(state.rawValue), "name": .optional(name), "value": .optional(value), "previous": .optional(previous),
            "message": .string(message),
        ]
    }
}

extension ConfigurationStatus {
    var json: JSON {
        [
            "managed": .integer(managed), "exact": .bool(isExact), "inSync": isInSync.map(JSON.bool) ?? .null,
            "differences": .array((differences ?? []).map { ["key": .string($0.key), "kind": .string($0.kind.rawValue)] }),
        ]
    }
}

extension Condition {
    var json: JSON {
        [
            "type": .string(kind.rawValue), "status": .string(isTrue ? "True" : "False"), "reason": .string(reason),
            "message": .string(message),
        ]
    }
}

extension JSON {
    /// A list as every command prints it: `{"apiVersion", "kind", "items"}`.
    public static func list(_ kind: String, _ items: [JSON]) -> JSON {
        ["apiVersion": "belay.dev/v1alpha1", "kind": .string(kind), "items": .array(items)]
    }
}
