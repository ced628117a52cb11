import JSONValues

/// The operations on a project's environment variables. None of them touches a deployment that was built before.
extension VercelState {
    func listVariables(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let project = projects[try project(call, byName: true)]
        let reading: VercelVariable.Reading = call.query["decrypt"] == "true" ? .decrypted : .list
        var shown: [JSON] = []
        for variable in project.variables {
            if let target = call.query["target"], !variable.targets.contains(where: { $0.rawValue == target }) { continue }
            if let id = call.query["customEnvironmentId"], !variable.customEnvironments.contains(id) { continue }
            if let branch = call.query["gitBranch"] {
                guard variable.targets.contains(.preview), variable.gitBranch == nil || variable.gitBranch == branch else { continue }
            }
            shown.append(variable.json(reading))
        }
        return VercelAnswer(
            200, ["envs": .array(shown), "pagination": ["count": .integer(shown.count), "next": .null, "prev": .null]])
    }

    func getVariable(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (index, place) = try variable(call)
        return VercelAnswer(200, projects[index].variables[place].json(.single))
    }

    /// One variable, or a list of them: of a list, some may fail while others are made, and the answer is 201 all the same.
    mutating func createVariables(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: true)
        let isBulk = call.body?.array != nil
        var wanted: [VercelVariable] = []
        for body in isBulk ? call.body?.elements ?? [] : [call.body ?? .null] {
            var new = VercelVariable(
                id: "", key: "", value: "", kind: .encrypted, targets: [], createdAt: call.now, updatedAt: call.now,
                createdBy: VercelProject.apiUser, updatedBy: VercelProject.apiUser)
            for name in ["key", "value", "type"] where body[name]?.string == nil { throw .missing(name) }
            guard body["target"] != nil || body["customEnvironmentIds"] != nil else { throw .missing("target") }
            try new.change(to: body)
            wanted.append(new)
        }
        let failing = projects[index].failingVariables
        projects[index].failingVariables = []
        var created: [JSON] = []
        var failed: [JSON] = []
        for new in wanted {
            do throws(VercelFailure) {
                guard !failing.contains(new.key) else {
                    throw VercelFailure(500, "internal_server_error", "The environment variable could not be created.")
                }
                created.append(try write(new, to: index, isUpsert: call.query["upsert"] == "true"))
            } catch {
                guard isBulk else { throw error }
                var entry = error.body
                entry["envVarKey"] = .string(new.key)
                entry["target"] = .array(new.targets.map { .string($0.rawValue) })
                failed.append(["error": .object(entry)])
            }
        }
        let answer: JSON = isBulk ? .array(created) : created.first ?? .null
        return VercelAnswer(201, ["created": answer, "failed": .array(failed)])
    }

    private mutating func write(_ new: VercelVariable, to index: Int, isUpsert: Bool) throws(VercelFailure) -> JSON {
        var new = new
        try new.check()
        coerce(&new, projects[index])
        // An upsert writes over a variable of exactly these targets; one that only shares some is in the way. [getsentry/sentry#118490]
        if isUpsert, let place = projects[index].variables.firstIndex(where: { $0.hasSamePlaces(as: new) }) {
            let old = projects[index].variables[place]
            (new.id, new.createdAt, new.createdBy) = (old.id, old.createdAt, old.createdBy)
            if old.kind == .sensitive { new.kind = .sensitive }
            new.comment = new.comment ?? old.comment
            try new.checkTargets()
            projects[index].variables[place] = new
            projects[index].note("env.edit", new, new.updatedAt)
        } else {
            try new.checkTargets()
            try refuseConflict(new, projects[index])
            new.id = makeID("env_", length: 24)
            projects[index].variables.append(new)
            projects[index].note("env.create", new, new.updatedAt)
        }
        return new.json(.list)
    }

    mutating func editVariable(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (index, place) = try variable(call)
        let old = projects[index].variables[place]
        var new = old
        guard let body = call.body?.object else { throw VercelFailure(400, "bad_request", "Invalid request: should be object.") }
        let known = ["key", "target", "gitBranch", "type", "value", "customEnvironmentIds", "comment"]
        if let unknown = body.keys.first(where: { !known.contains($0) }) {
            throw VercelFailure(400, "bad_request", "Invalid request: should NOT have additional property `\(unknown)`.")
        }
        try new.change(to: .object(body))
        try new.check()
        if old.kind == .sensitive { new.kind = .sensitive }
        coerce(&new, projects[index])
        try new.checkTargets()
        try refuseConflict(new, projects[index])
        new.updatedAt = call.now
        new.updatedBy = VercelProject.apiUser
        projects[index].variables[place] = new
        projects[index].note("env.edit", new, call.now)
        return VercelAnswer(200, new.json(.list))
    }

    mutating func deleteVariable(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (index, place) = try variable(call)
        let old = projects[index].variables.remove(at: place)
        projects[index].note("env.delete", old, call.now)
        return VercelAnswer(200, old.json(.list))
    }

    mutating func deleteVariables(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: true)
        guard let ids = call.body?["ids"]?.array, !ids.isEmpty else { throw .missing("ids") }
        let gone = projects[index].variables.filter { variable in ids.contains { $0.string == variable.id } }
        projects[index].variables.removeAll { variable in gone.contains { $0.id == variable.id } }
        for old in gone { projects[index].note("env.delete", old, call.now) }
        return VercelAnswer(200, ["deleted": .integer(gone.count), "ids": .array(gone.map { .string($0.id) })])
    }

    // MARK: - Rules

    private func variable(_ call: VercelCall) throws(VercelFailure) -> (project: Int, place: Int) {
        let index = try project(call, byName: true)
        guard let place = projects[index].variables.firstIndex(where: { $0.id == call["variable"] }) else {
            throw VercelFailure(404, "not_found", "The environment variable \(call["variable"]) was not found.")
        }
        return (index, place)
    }

    /// The team's policy silently makes an encrypted variable of production or preview a sensitive one. A development target cannot be
    /// sensitive, so a variable that has one is left alone; what Vercel does with it is not known.
    func coerce(_ variable: inout VercelVariable, _ project: VercelProject) {
        guard isSensitivePolicyOn, project.team != nil, variable.kind == .encrypted, !variable.targets.contains(.development) else {
            return
        }
        variable.kind = .sensitive
    }

    private func refuseConflict(_ new: VercelVariable, _ project: VercelProject) throws(VercelFailure) {
        guard let other = project.variables.first(where: { $0.id != new.id && $0.overlaps(new) }) else { return }
        let places = new.targets.filter(other.targets.contains).map(\.rawValue).joined(separator: ", ")
        // The words of the live API, a branch that is not there included. [vercel/vercel#16588]
        var failure = VercelFailure(
            400, "ENV_CONFLICT",
            "A variable with the name `\(new.key)` already exists for the target \(places) on branch \(new.gitBranch ?? "undefined")")
        failure.body["envVarKey"] = .string(new.key)
        failure.body["envVarId"] = .string(other.id)
        throw failure
    }
}

extension VercelProject {
    /// Who the API's token belongs to, and who uses the dashboard.
    static let apiUser = "user_belay"
    static let person = "user_sim"

    mutating func note(_ operation: String, _ variable: VercelVariable, _ now: Int64, byHuman: Bool = false) {
        books.append(Entry(at: now, operation: operation, byHuman: byHuman, variable: (variable.id, variable.key)))
    }
}

extension VercelFailure {
    fileprivate static func missing(_ name: String) -> VercelFailure {
        VercelFailure(400, "bad_request", "Invalid request: missing required property `\(name)`.")
    }
}

extension VercelVariable {
    /// Takes what a request says; what it leaves out stays.
    fileprivate mutating func change(to body: JSON) throws(VercelFailure) {
        func invalid(_ what: String) -> VercelFailure { VercelFailure(400, "bad_request", "Invalid request: \(what)") }
        if let given = body["key"] {
            guard let key = given.string else { throw invalid("`key` should be string.") }
            self.key = key
        }
        if let given = body["value"] {
            guard let value = given.string else { throw invalid("`value` should be string.") }
            self.value = value
        }
        if let given = body["type"] {
            guard let kind = given.string.flatMap(Kind.init) else { throw invalid("`type` should be equal to one of the allowed values.") }
            self.kind = kind
        }
        if let given = body["target"] {
            let targets = given.elements.compactMap { $0.string.flatMap(Target.init) }
            guard let count = given.array?.count, count == targets.count, Set(targets).count == count else {
                throw invalid("`target` should be array of production, preview, development, each once.")
            }
            self.targets = targets
        }
        if let given = body["customEnvironmentIds"] { customEnvironments = given.elements.compactMap(\.string) }
        if let object = body.object, object["gitBranch"] != nil { gitBranch = body["gitBranch"]?.string }
        if let given = body["comment"] {
            guard let comment = given.string, comment.count <= 500 else {
                throw invalid("`comment` should NOT be longer than 500 characters.")
            }
            self.comment = comment
        }
        guard !targets.isEmpty || !customEnvironments.isEmpty else { throw invalid("`target` should NOT be empty.") }
        guard gitBranch == nil || targets == [.preview] else { throw invalid("`gitBranch` goes with the target preview only.") }
    }

    /// The limits of keys and values.
    fileprivate func check() throws(VercelFailure) {
        func refused(_ code: String, _ message: String) -> VercelFailure {
            var failure = VercelFailure(400, code, message)
            failure.body["key"] = .string(key)
            return failure
        }
        guard Self.isKey(key) else {
            throw refused(
                "env_key_invalid_characters", "The env key \"\(key)\" contains invalid characters. Only letters, digits and `_` are allowed"
            )
        }
        guard key.utf8.count <= Self.keyLimit else {
            throw refused("env_key_invalid_length", "The env key \"\(key)\" is longer than \(Self.keyLimit) characters")
        }
        guard value.utf8.count <= Self.valueLimit else {
            throw refused("env_value_invalid_length", "The value of the env key \"\(key)\" is longer than \(Self.valueLimit) characters")
        }
    }

    fileprivate func checkTargets() throws(VercelFailure) {
        guard kind == .sensitive, targets.contains(.development) else { return }
        throw VercelFailure(400, "bad_request", "A sensitive environment variable cannot have the target development.")
    }

    static func isKey(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
