public import JSONValues
public import Model

extension Plan {
    /// The plan for machines: kind `Plan` of `belay.dev/v1alpha1`. Members are only ever added within a version.
    ///
    /// Holds no route tokens: they are the providers' own.
    public var json: JSON {
        [
            "apiVersion": "belay.dev/v1alpha1",
            "kind": "Plan",
            "system": ["namespace": .string(system.namespace), "name": .string(system.name)],
            "revision": revision.json,
            "verdict": .string(verdict.rawValue),
            "exitStatus": .integer(Int(verdict.exitStatus)),
            "summary": .string(closingLine),
            "steps": .array(steps.map(\.json)),
            "blocked": .array(blocked.map(\.json)),
            "notes": .array(notes.map(JSON.string)),
            "refusal": refusal.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] } ?? .null,
            "resolutions": .array(
                resolutions.sorted { $0.key < $1.key }.map { resource, resolution in
                    var json = resolution.json
                    json["resource"] = .string(resource.description)
                    return json
                }),
            "opening": opening.map(\.json) ?? .null,
            "drifts": .array(drifts.map(\.json)),
            "approval": approval.map(\.json) ?? .null,
            "flags": .array(flags.map(\.json)),
        ]
    }
}

extension Drift {
    /// For machines: what was expected, what is there instead, and who did it where that is told.
    public var json: JSON {
        [
            "resource": .string(resource.description), "expected": .string(expected), "found": .string(found),
            "identity": .string(identity.description), "cause": .optional(cause),
        ]
    }
}

extension Revision {
    fileprivate var json: JSON {
        [
            "kind": .string(kind.rawValue), "id": .string(id), "dirty": .bool(isDirty),
            "committed": .optional(committed?.description),
        ]
    }
}

extension Step {
    fileprivate var json: JSON {
        [
            "id": .string(id),
            "phase": .string(phase.rawValue),
            "resource": .optional(resource?.description),
            "action": action.json,
            "after": .array(after.map(JSON.string)),
            "class": .string(`class`.rawValue),
            "writes": .bool(action.isWrite),
            "summary": .string(summary),
            "details": .array(details.map(JSON.string)),
            "deadlineSeconds": .integer(Int(deadline.components.seconds)),
        ]
    }
}

extension Step.Action {
    fileprivate var json: JSON {
        switch self {
        case .confirm: ["type": "confirm"]
        case .open: ["type": "open"]
        case .release(let change):
            [
                "type": "release",
                "from": .optional(change.from?.label),
                "to": .string(change.to.label),
                "pin": change.resolution.json,
                "verb": .string(change.route.verb.rawValue),
                "means": .string(change.route.means),
                "cautions": .array(change.route.cautions.map(JSON.string)),
                "reconfigures": .bool(change.isReconfiguration),
                "severalWrites": .bool(change.route.part != nil),
            ]
        case .await(let resolution): ["type": "await", "pin": resolution.json]
        case .check: ["type": "check"]
        case .fence(let change):
            [
                "type": "fence", "purpose": .string(change.purpose.rawValue), "name": .string(change.name), "from": .string(change.from),
                "to": .string(change.to),
            ]
        case .backUp: ["type": "backup"]
        case .migrate(let change): change.json
        case .set(let changes): ["type": "set", "flags": .array(changes.map(\.json))]
        case .stop: ["type": "stop"]
        case .close: ["type": "close"]
        }
    }
}

extension MigrationChange {
    fileprivate var json: JSON {
        var json: JSON = [
            "type": "migrate", "version": .string(version), "direction": isUp ? "up" : "down", "repeatable": .bool(isRepeatable),
        ]
        if let script {
            json["hash"] = .string(script.hash)
            json["transactional"] = .bool(script.isTransactional)
            json["losses"] = .array(script.losses.map(JSON.string))
            json["rowsAtRisk"] = script.rowsAtRisk.map { .integer($0) } ?? .null
            if let backup = script.restoredBackup { json["restores"] = .string(backup) }
            json["backupBytes"] = script.backupBytes.map { .integer($0) } ?? .null
        }
        return json
    }
}

extension FlagStanding {
    /// For machines: what is pinned, what it is to be now, and what the store shows.
    public var json: JSON {
        [
            "name": .string(name), "state": .string(state.rawValue), "pinned": .string(pinned.description),
            "desired": .string(desired.description), "effective": .optional(current?.description),
            "on": current.map { .bool($0.isOn) } ?? .null,
            "rollout": current?.rollout.map { .integer($0) } ?? .null, "servesNothing": .bool(servesNothing), "reason": .optional(reason),
        ]
    }
}

extension FlagChange {
    fileprivate var json: JSON {
        [
            "name": .string(name), "from": .optional(from?.description), "to": .string(to.description), "on": .bool(to.isOn),
            "rollout": to.rollout.map { .integer($0) } ?? .null,
        ]
    }
}

extension Approval {
    fileprivate var json: JSON {
        [
            "digest": .string(digest), "rows": rows.map { .integer($0) } ?? .null,
            "items": .array(
                items.map {
                    [
                        "database": .string($0.database), "version": .string($0.version), "direction": $0.isUp ? "up" : "down",
                        "hash": .string($0.hash),
                    ]
                }),
        ]
    }
}

extension Resolution {
    fileprivate var json: JSON {
        [
            "pin": .string(pin.description),
            "identity": .string(identity.description),
            "lineage": .array(lineage.map { .string($0.description) }),
            "label": .string(label),
            "revision": .string(revision.id),
        ]
    }
}

extension Blocked {
    fileprivate var json: JSON {
        [
            "resource": .string(resource.description),
            "kind": .string(kind.rawValue),
            "reason": .string(problem.reason),
            "message": .string(problem.message),
            "next": .optional(problem.next),
            "retryAfterSeconds": problem.retryAfter.map { .integer(Int($0.components.seconds)) } ?? .null,
        ]
    }
}

extension Plan.Opening {
    fileprivate var json: JSON {
        func object(_ members: some Sequence<(key: ResourceID, value: String)>) -> JSON {
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key.description, .string($0.value)) }))
        }
        return [
            "start": object(start.map { ($0.key, $0.value.description) }),
            "target": object(target.map { ($0.key, $0.value.identity.description) }),
            "directions": object(directions.map { ($0.key, $0.value.rawValue) }),
            "obligations": .array(obligations.map { .string($0.description) }),
        ]
    }
}
