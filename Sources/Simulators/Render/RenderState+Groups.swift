import JSONValues

extension RenderState {
    private func group(_ call: RenderCall) throws(RenderFailure) -> Int {
        guard let index = groups.firstIndex(where: { $0.id == call["group"] }) else { throw .notFound(call["group"]) }
        return index
    }

    func listGroups(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let names = call.list("name")
        // As declared: a plain array, without cursors.
        return RenderAnswer(200, .array(groups.filter { names?.contains($0.name) ?? true }.map { json($0, whole: false) }))
    }

    func getGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        RenderAnswer(200, json(groups[try group(call)], whole: true))
    }

    mutating func createGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let body = try call.object()
        guard let name = body["name"]?.string, let asked = body["ownerId"]?.string, let variables = body["envVars"]?.array else {
            throw .wrong("name, ownerId and envVars are required")
        }
        guard asked == owner else { throw .wrong("unknown owner") }
        let created = moment(call.now)
        var new = RenderGroup(id: makeID("evg"), name: name, createdAt: created, updatedAt: created)
        new.variables = try read(variables, .variables)
        new.secretFiles = try read(body["secretFiles"]?.elements ?? [], .files)
        for id in body["serviceIds"]?.elements.compactMap(\.string) ?? [] {
            guard services.contains(where: { $0.id == id }) else { throw .notFound(id) }
            new.services.append(id)
        }
        groups.append(new)
        written(groups.count - 1, "create", call, to: new.services)
        return RenderAnswer(201, groups.last.map { json($0, whole: true) })
    }

    mutating func renameGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try group(call)
        guard let name = try call.object()["name"]?.string else { throw .wrong("name is required") }
        groups[index].name = name
        written(index, "rename", call, to: [])
        return RenderAnswer(200, json(groups[index], whole: true))
    }

    mutating func deleteGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let gone = groups.remove(at: try group(call))
        deploy(gone.services, call.now)
        for id in gone.services {
            guard let index = services.firstIndex(where: { $0.id == id }) else { continue }
            services[index].note(call.now, "group.delete", [("group", .string(gone.id))])
        }
        return RenderAnswer(204)
    }

    mutating func linkGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try group(call)
        let service = services[try service(call)].id
        if !groups[index].services.contains(service) {
            groups[index].services.append(service)
            written(index, "link", call, to: [service], [("service", .string(service))])
        }
        return RenderAnswer(200, json(groups[index], whole: true))
    }

    mutating func unlinkGroup(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try group(call)
        let service = services[try service(call)].id
        guard groups[index].services.contains(service) else { throw .notFound(service) }
        groups[index].services.removeAll { $0 == service }
        written(index, "unlink", call, to: [service], [("service", .string(service))])
        return RenderAnswer(204)
    }

    // MARK: - What a group holds

    private subscript(_ rows: RenderRows, group index: Int) -> [RenderVariable] {
        get { rows == .variables ? groups[index].variables : groups[index].secretFiles }
        set { if rows == .variables { groups[index].variables = newValue } else { groups[index].secretFiles = newValue } }
    }

    func getGroupRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        guard let row = self[rows, group: try group(call)].first(where: { $0.key == call["key"] }) else { throw .notFound(call["key"]) }
        return RenderAnswer(200, rows.json(row))
    }

    /// Answers the whole group.
    mutating func putGroupRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try group(call)
        var list = self[rows, group: index]
        let row = try put(try call.object(), call["key"], rows, &list)
        self[rows, group: index] = list
        written(index, "\(rows.operation).put", call, to: groups[index].services, [("key", .string(row.key))])
        return RenderAnswer(200, json(groups[index], whole: true))
    }

    mutating func deleteGroupRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try group(call)
        guard self[rows, group: index].contains(where: { $0.key == call["key"] }) else { throw .notFound(call["key"]) }
        self[rows, group: index].removeAll { $0.key == call["key"] }
        written(index, "\(rows.operation).delete", call, to: groups[index].services, [("key", .string(call["key"]))])
        return RenderAnswer(204)
    }

    // MARK: - What follows

    private mutating func written(
        _ index: Int, _ operation: String, _ call: RenderCall, to services: [String], _ facts: [(key: String, value: JSON)] = []
    ) {
        let moment = moment(call.now)
        groups[index].updatedAt = moment
        groups[index].books.append(RenderService.Entry(at: call.now, operation: operation, byHuman: false, facts: facts))
        deploy(services, call.now)
    }

    /// A change of a group deploys every linked service whose autodeploy is on.
    private mutating func deploy(_ ids: [String], _ now: Int64) {
        guard groupWritesDeploy else { return }
        for index in services.indices where ids.contains(services[index].id) {
            guard services[index].settings.autoDeploy != "off", !services[index].isSuspended else { continue }
            let request = RenderDeployRequest(trigger: "service_updated", skipsBuild: services[index].running != nil)
            _ = trigger(request, index, now)
        }
    }

    func json(_ group: RenderGroup, whole: Bool) -> JSON {
        let links = services.filter { group.services.contains($0.id) }.map { service -> JSON in
            ["id": .string(service.id), "name": .string(service.name), "type": .string(service.kind.short)]
        }
        var members: [(String, JSON?)] = [
            ("id", .string(group.id)), ("name", .string(group.name)), ("ownerId", .string(owner)),
            ("createdAt", .string(group.createdAt.text)), ("updatedAt", .string(group.updatedAt.text)), ("serviceLinks", .array(links)),
        ]
        if whole {
            members.append(("envVars", .array(group.variables.map { RenderRows.variables.json($0) })))
            members.append(("secretFiles", .array(group.secretFiles.map { RenderRows.files.json($0) })))
        }
        return .members(members)
    }
}
