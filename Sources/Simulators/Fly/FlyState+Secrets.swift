import JSONValues

/// Secrets are staged: a machine has what there was when it was updated or started last. No value is ever answered.
extension FlyState {
    func listSecrets(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = apps[try app(call)]
        try check(app, call)
        return FlyAnswer(["secrets": .array(app.secrets.all.map(\.json))])
    }

    func showSecret(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = apps[try app(call)]
        try check(app, call)
        guard let secret = app.secrets.all.first(where: { $0.name == call["secret"] }) else {
            throw FlyFailure(404, "not_found: secret not found")
        }
        return FlyAnswer(secret.json)
    }

    private func check(_ app: FlyApp, _ call: FlyCall) throws(FlyFailure) {
        guard let least = try call.number("min_version"), least > app.secrets.version else { return }
        throw FlyFailure(412, "failed_precondition: secrets version \(least) is not available yet")
    }

    mutating func updateSecrets(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = try app(call)
        let body = try call.object("updateSecretsRequest")
        guard let members = body["values"]?.object?.members else { throw FlyFailure(400, "invalid_argument: values is required") }
        var values: [(name: String, value: String?)] = []
        for (name, value) in members {
            switch value {
            case .null: values.append((name, nil))
            case .string(let text): values.append((name, text))
            case .bool, .number, .array, .object: throw FlyFailure(400, "invalid_argument: the value of \(name) is no string")
            }
        }
        apps[app].set(values, at: call.now)
        let version = JSON.integer(apps[app].secrets.version)
        let set = apps[app].secrets.all.filter { secret in members.contains { $0.key == secret.name } }
        return FlyAnswer(["secrets": .array(set.map(\.json)), "version": version, "Version": version])
    }

    mutating func setSecret(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = try app(call)
        guard let value = try call.object("setAppSecretRequest")["value"]?.string else {
            throw FlyFailure(400, "invalid_argument: value is required")
        }
        apps[app].set([(call["secret"], value)], at: call.now)
        guard var answer = apps[app].secrets.all.first(where: { $0.name == call["secret"] })?.json else {
            throw FlyFailure(500, "internal: the secret was not set")
        }
        answer["version"] = .integer(apps[app].secrets.version)
        answer["Version"] = .integer(apps[app].secrets.version)
        return FlyAnswer(201, .json(answer))
    }

    mutating func deleteSecret(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = try app(call)
        guard apps[app].secrets.all.contains(where: { $0.name == call["secret"] }) else {
            throw FlyFailure(404, "not_found: secret not found")
        }
        apps[app].set([(call["secret"], nil)], at: call.now)
        let version = JSON.integer(apps[app].secrets.version)
        return FlyAnswer(["version": version, "Version": version])
    }
}

extension FlyApp {
    mutating func set(_ values: [(name: String, value: String?)], at now: Int64, byHuman: Bool = false) {
        secrets.change(values, at: now)
        for value in values {
            note(value.value == nil ? "unset-secret" : "set-secret", now, subject: value.name, byHuman: byHuman)
        }
    }
}

extension FlySecrets.Secret {
    var json: JSON {
        [
            "name": .string(name), "digest": .string(digest), "created_at": .string(SimulatedTime.rfc3339(createdAt)),
            "updated_at": .string(SimulatedTime.rfc3339(updatedAt)),
        ]
    }
}
