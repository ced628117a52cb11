import JSONValues

/// A machine's metadata is part of its config and changes without a new version. Leases do not guard it.
extension FlyState {
    func showMetadata(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        return FlyAnswer(apps[app].machines[index].config["metadata"] ?? [:])
    }

    func showMetadataKey(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        guard let value = apps[app].machines[index].config["metadata"]?[call["key"]] else {
            throw FlyFailure(404, "not_found: metadata key not found")
        }
        return FlyAnswer(["value": value])
    }

    mutating func writeMetadata(_ call: FlyCall, replacing: Bool) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let body = try call.object("updateMetadataRequest")
        let machine = apps[app].machines[index]
        guard let members = body["metadata"]?.object?.members else {
            throw FlyFailure(400, "invalid_argument: metadata is required")
        }
        var metadata: JSON = replacing ? [:] : machine.config["metadata"] ?? [:]
        for (key, value) in members {
            guard let text = value.string else { throw FlyFailure(400, "invalid_argument: the value of \(key) is no string") }
            metadata[key] = .string(text)
        }
        if let asked = body["machine_version"]?.string, asked != machine.version.id {
            throw FlyFailure(412, "failed_precondition: machine version \(asked) is not the current one")
        }
        return set(metadata, app, index, "metadata", call)
    }

    mutating func setMetadataKey(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        guard let value = try call.object("upsertMetadataKeyRequest")["value"]?.string else {
            throw FlyFailure(400, "invalid_argument: value is required")
        }
        var metadata = apps[app].machines[index].config["metadata"] ?? [:]
        metadata[call["key"]] = .string(value)
        return set(metadata, app, index, call["key"], call)
    }

    mutating func deleteMetadataKey(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        var metadata = apps[app].machines[index].config["metadata"] ?? [:]
        metadata[call["key"]] = nil
        return set(metadata, app, index, call["key"], call)
    }

    private mutating func set(_ metadata: JSON, _ app: Int, _ index: Int, _ subject: String, _ call: FlyCall) -> FlyAnswer {
        let place = apps[app].machines[index].current
        guard apps[app].machines[index].versions.indices.contains(place) else { return .noContent }
        apps[app].machines[index].versions[place].config["metadata"] = metadata
        apps[app].machines[index].updatedAt = call.now
        apps[app].note("metadata", call.now, machine: index, subject: subject)
        return .noContent
    }
}
