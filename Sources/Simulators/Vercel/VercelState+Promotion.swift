import JSONValues

extension VercelState {
    mutating func promote(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: false)
        let (project, target) = try target(call, index)
        guard target.isProduction else {
            throw VercelFailure(422, "unprocessable", "The deployment \(target.id) is not a production deployment and cannot be promoted.")
        }
        guard project.production != target.id else {
            throw VercelFailure(
                409, "conflict", "The provided deploymentId (\(target.id)) is already the current production deployment.")
        }
        return VercelAnswer(accept(.promote, target.id, index, call.now, byHuman: false))
    }

    mutating func rollback(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: false)
        let (project, target) = try target(call, index)
        if let text = call.query["description"], text.count > 250 {
            throw VercelFailure(400, "bad_request", "Invalid request: `description` should NOT be longer than 250 characters.")
        }
        guard project.production != target.id else {
            throw VercelFailure(
                422, "unprocessable", "Cannot roll back to \(target.id) because it was already the current production deployment.")
        }
        guard target.isProduction, target.isPromoted else {
            throw VercelFailure(422, "unprocessable", "The deployment \(target.id) was never a production deployment of this project.")
        }
        guard plan != "hobby" || project.history.last == target.id else {
            throw VercelFailure(
                402, "payment_required", "To roll back further than the previous production deployment, upgrade to pro.")
        }
        let status = accept(.rollback, target.id, index, call.now, byHuman: false)
        projects[index].rollback = call.query["description"].map { VercelProject.Description(text: $0, createdAt: call.now) }
        return VercelAnswer(status)
    }

    private func target(_ call: VercelCall, _ index: Int) throws(VercelFailure) -> (VercelProject, VercelDeployment) {
        let (owner, target) = try find(call)
        guard owner == index else {
            throw VercelFailure(404, "not_found", "The deployment \(target.id) does not belong to the project.")
        }
        guard target.isReady(at: call.now) else {
            throw VercelFailure(400, "bad_request", "The deployment \(target.id) is not READY.")
        }
        return (projects[index], target)
    }

    /// Begins the job and returns the status that tells of it. A job under way is replaced: the newest request counts.
    mutating func accept(_ kind: VercelJob.Kind, _ id: String, _ index: Int, _ now: Int64, byHuman: Bool) -> Int {
        projects[index].books.append(
            VercelProject.Entry(at: now, operation: kind.rawValue, deployment: id, byHuman: byHuman))
        if kind == .promote, let rolling = projects[index].rolling, rolling.state == "ACTIVE" {
            if rolling.canary == id {
                projects[index].setAutoAssign(true, by: "system")
                projects[index].completeRelease(now)
                return 201
            }
            projects[index].rolling?.queued = id
            return 202
        }
        if kind == .promote, projects[index].release(id, now) {
            projects[index].setAutoAssign(true, by: "system")
            return 201
        }
        let aborted = projects[index].rolling.flatMap { $0.state == "ACTIVE" ? $0.id : nil }
        if kind == .rollback { projects[index].abortRelease(now) }
        projects[index].rollback = nil
        projects[index].job = VercelJob(
            kind: kind, from: projects[index].production, to: id, rollingRelease: aborted, requestedAt: now,
            outcome: projects[index].nextJob)
        projects[index].nextJob = .succeeded
        return 201
    }

    mutating func describeRollback(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        guard let index = projects.firstIndex(where: { $0.id == call["project"] }) else {
            throw VercelFailure(404, "not_found", "Project not found.")
        }
        guard projects[index].job?.kind == .rollback, projects[index].job?.to == call["deployment"] else {
            throw VercelFailure(409, "conflict", "The project is not rolled back to \(call["deployment"]).")
        }
        guard let text = call.body?["description"]?.string, text.count <= 250 else {
            throw VercelFailure(422, "unprocessable", "Invalid request: `description` should NOT be longer than 250 characters.")
        }
        projects[index].rollback = VercelProject.Description(text: text, createdAt: call.now)
        return VercelAnswer(200)
    }

    func jobAliases(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let project = projects[try project(call, byName: false)]
        guard let job = project.job else { return VercelAnswer(200, [:]) }
        let limit = try call.number("limit") ?? 20
        var aliases: [JSON] = []
        for index in project.servingDomains {
            let status =
                switch job.moved[index] {
                case true?: "completed"
                case false?: "failed"
                case nil: job.status == "in-progress" ? "in-progress" : "pending"
                }
            if call.query["failedOnly"] == "true", status != "failed" { continue }
            aliases.append([
                "id": .string("als_\(index)"), "alias": .string(project.domains[index].name), "status": .string(status),
            ])
        }
        let page = Array(aliases.prefix(Int(limit)))
        return VercelAnswer(
            200, ["aliases": .array(page), "pagination": ["count": .integer(page.count), "next": .null, "prev": .null]])
    }

    func rollingRelease(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let project = projects[try project(call, byName: true)]
        guard let rolling = project.rolling, call.query["state"].map({ $0 == rolling.state }) ?? true else {
            return VercelAnswer(200, ["rollingRelease": .null])
        }
        return VercelAnswer(200, ["rollingRelease": project.json(rolling, call.now)])
    }

    mutating func completeRollingRelease(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: true)
        guard let rolling = projects[index].rolling, rolling.state == "ACTIVE" else {
            throw VercelFailure(404, "not_found", "There is no active rolling release.")
        }
        guard call.body?["canaryDeploymentId"]?.string == rolling.canary else {
            throw VercelFailure(409, "conflict", "The canary deployment is \(rolling.canary).")
        }
        projects[index].completeRelease(call.now)
        return VercelAnswer(200, ["rollingRelease": projects[index].rolling.map { projects[index].json($0, call.now) } ?? .null])
    }
}
