import JSONValues

extension VercelState {
    func listDeployments(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let limit = try call.number("limit") ?? 20
        guard (1...100).contains(limit) else {
            throw VercelFailure(400, "bad_request", "Invalid request: `limit` should be <= 100 and >= 1.")
        }
        let until = try call.number("until")
        let since = try call.number("since")
        let states = call.query["state"].map { Set($0.split(separator: ",").map { $0.uppercased() }) }
        let tags = call.query.query.filter { $0.name.hasPrefix("meta-") }.map { (key: String($0.name.dropFirst(5)), value: $0.value) }
        var found: [(project: VercelProject, deployment: VercelDeployment)] = []
        for project in projects {
            guard try isInScope(project, call) else { continue }
            if let id = call.query["projectId"], id != project.id { continue }
            if let name = call.query["app"], name != project.name { continue }
            for deployment in project.deployments {
                let state = deployment.state(at: call.now)
                if let states { guard states.contains(state) else { continue } } else if state == "DELETED" { continue }
                if let target = call.query["target"], target != (deployment.target ?? "preview") { continue }
                if let sha = call.query["sha"], sha != deployment.sha { continue }
                if let branch = call.query["branch"], branch != deployment.ref { continue }
                if call.query["rollbackCandidate"] == "true", !project.isRollbackCandidate(deployment, call.now) { continue }
                if let until, deployment.createdAt >= until { continue }
                if let since, deployment.createdAt <= since { continue }
                let meta = deployment.shownMeta(repository: project.repository)
                guard tags.allSatisfy({ tag in meta.contains { $0 == tag } }) else { continue }
                found.append((project, deployment))
            }
        }
        found.sort { $0.deployment.createdAt > $1.deployment.createdAt }
        let page = found.prefix(Int(limit))
        let knowsBlocked = call.query.path.first != "v6"
        var next: Int64? = found.count > page.count ? page.last?.deployment.createdAt : nil
        if next != nil, page.contains(where: { $0.project.hasStuckCursor }) { next = until ?? next }
        return VercelAnswer(
            200,
            [
                "deployments": .array(page.map { $0.project.listItem($0.deployment, call.now, knowsBlocked: knowsBlocked) }),
                "pagination": [
                    "count": .integer(page.count), "next": .milliseconds(next), "prev": .milliseconds(page.first?.deployment.createdAt),
                ],
            ])
    }

    func getDeployment(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (project, deployment) = try find(call)
        return VercelAnswer(200, projects[project].detail(deployment, plan: plan, call.now))
    }

    mutating func createDeployment(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        guard let body = call.body, let name = body["name"]?.string else {
            throw VercelFailure(400, "bad_request", "Invalid request: missing required property `name`.")
        }
        var index: Int?
        for candidate in projects.indices {
            let project = projects[candidate]
            let asked = body["project"]?.string ?? name
            if try isInScope(project, call), project.name == asked || project.id == asked { index = candidate }
        }
        guard let index else { throw VercelFailure(404, "not_found", "Project not found.") }
        let project = projects[index]
        let target = body["target"]?.string
        guard target == nil || ["production", "staging", "preview"].contains(target) else {
            throw VercelFailure(400, "bad_request", "Invalid request: `target` should be production, staging or preview.")
        }
        var new = VercelDeployment(
            id: "", url: "", target: target == "preview" ? nil : target, ref: project.branch, author: "belay", source: "redeploy",
            createdAt: call.now, queueTime: project.timing.queue, buildTime: project.timing.build)
        if let source = body["deploymentId"]?.string {
            guard let original = project.deployment(source) else {
                throw VercelFailure(404, "not_found", "The deployment \(source) could not be found.")
            }
            guard original.state(at: call.now) != "DELETED" else {
                throw VercelFailure(410, "deployment_deleted", "The deployment \(source) was deleted.")
            }
            (new.sha, new.ref, new.message, new.author) = (original.sha, original.ref, original.message, original.author)
            new.meta = original.meta
        } else if let git = body["gitSource"] {
            guard let sha = git["sha"]?.string ?? project.deployments.last(where: { $0.ref == git["ref"]?.string })?.sha else {
                throw VercelFailure(400, "incorrect_git_source_info", "The Git source has no such commit.")
            }
            new.sha = sha
            new.ref = git["ref"]?.string ?? project.branch
            new.message = project.deployments.first { $0.sha == sha }?.message
            new.source = "api-trigger-git-deploy"
        } else {
            throw VercelFailure(400, "no_files", "There are no files inside this deployment.")
        }
        // Without forceNew, a deployment of the same content answers for the new one.
        if call.query["forceNew"] != "1",
            let same = project.deployments.last(where: {
                $0.sha == new.sha && $0.sha != nil && $0.target == new.target
                    && ["READY", "QUEUED", "INITIALIZING", "BUILDING"].contains($0.state(at: call.now))
            })
        {
            return VercelAnswer(200, project.detail(same, plan: plan, call.now))
        }
        for (key, value) in body["meta"]?.object?.members ?? [] {
            new.meta.removeAll { $0.key == key }
            new.meta.append((key, value.string ?? value.description))
        }
        new.isStagedOnly = body["autoAssignCustomDomains"]?.bool == false
        let id = add(new, to: index, byHuman: false)
        return VercelAnswer(200, projects[index].deployment(id).map { projects[index].detail($0, plan: plan, call.now) })
    }

    /// Gives it an id and an address, and the fate that the world has in store for the next build.
    mutating func add(_ deployment: VercelDeployment, to index: Int, byHuman: Bool) -> String {
        var deployment = deployment
        deployment.id = makeID("dpl_", length: 28)
        deployment.url = Self.url(deployment.id, projects[index].name, projects[index].team)
        deployment.build = projects[index].nextBuild
        deployment.assignment = projects[index].nextAssignment
        // A build takes the values that the project has when it is created, a rebuild of an older deployment as well. The contract's section
        // 5 has two answers to the second: the API's document says that a rebuild inherits, the guide that it takes what was changed since.
        let variables = projects[index].variables(target: deployment.target, ref: deployment.ref)
        deployment.variables = variables.map { ($0.key, $0.marker) }
        let size = variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if size > VercelVariable.valueLimit {
            deployment.build = .error(code: "env_too_large", message: "The environment variables are longer than 64 KB in total")
        }
        projects[index].nextBuild = .ready
        projects[index].nextAssignment = .normal
        projects[index].deployments.append(deployment)
        projects[index].books.append(
            VercelProject.Entry(at: deployment.createdAt, operation: "create", deployment: deployment.id, byHuman: byHuman))
        return deployment.id
    }

    mutating func cancelDeployment(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (index, deployment) = try find(call)
        let state = deployment.state(at: call.now)
        guard !["READY", "ERROR", "CANCELED"].contains(state) else {
            throw VercelFailure(400, "bad_request", "The deployment cannot be canceled: it is already \(state).")
        }
        projects[index].update(deployment.id) { $0.canceledAt = call.now }
        projects[index].books.append(
            VercelProject.Entry(at: call.now, operation: "cancel", deployment: deployment.id, byHuman: false))
        return VercelAnswer(200, projects[index].deployment(deployment.id).map { projects[index].detail($0, plan: plan, call.now) })
    }

    mutating func deleteDeployment(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let (index, deployment) = try find(call)
        projects[index].update(deployment.id) { $0.deletedAt = call.now }
        projects[index].books.append(
            VercelProject.Entry(at: call.now, operation: "delete", deployment: deployment.id, byHuman: false))
        return VercelAnswer(200, ["uid": .string(deployment.id), "state": "DELETED"])
    }
}

extension VercelProject {
    /// Every ready production deployment that has served, however it was made.
    func isRollbackCandidate(_ deployment: VercelDeployment, _ now: Int64) -> Bool {
        deployment.isProduction && deployment.isPromoted && deployment.isReady(at: now)
    }
}
