import JSONValues

extension RenderState {
    func listDeploys(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let service = services[try service(call)]
        let statuses = call.repeated("status")
        let created = (after: try call.time("createdAfter"), before: try call.time("createdBefore"))
        let updated = (after: try call.time("updatedAfter"), before: try call.time("updatedBefore"))
        let finished = (after: try call.time("finishedAfter"), before: try call.time("finishedBefore"))
        func lies(_ time: RenderTime?, _ bounds: (after: RenderTime?, before: RenderTime?)) -> Bool {
            guard bounds.after != nil || bounds.before != nil else { return true }
            guard let time else { return false }
            return bounds.after.map { time > $0 } ?? true && bounds.before.map { time < $0 } ?? true
        }
        let found = service.deploys.filter { deploy in
            statuses?.contains(deploy.status) ?? true && lies(deploy.createdAt, created) && lies(deploy.updatedAt, updated)
                && lies(deploy.finishedAt, finished)
        }
        return try page(found.sorted { $0.createdAt > $1.createdAt }, call, "deploy") { deploy in
            (service.json(deploy), "\(deploy.id) \(deploy.updatedAt.microseconds)")
        }
    }

    func getDeploy(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let service = services[try service(call)]
        guard let deploy = service.deploy(call["deploy"]), call.now - deploy.createdAt.milliseconds >= hidesNewDeploys else {
            throw .notFound(call["deploy"])
        }
        return RenderAnswer(200, service.json(deploy))
    }

    mutating func createDeploy(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        let body = try call.object()
        var request = RenderDeployRequest(trigger: "api")
        try read(body, into: &request, services[index])
        guard !services[index].isSuspended else { throw RenderFailure(409, "cannot deploy a suspended service") }
        let id = trigger(request, index, call.now)
        services[index].note(
            call.now, "deploy", [id.map { ("deploy", .string($0)) } ?? ("queued", true)] + request.facts)
        guard let id else { return RenderAnswer(202) }
        return RenderAnswer(201, services[index].deploy(id).map { services[index].json($0) })
    }

    private func read(_ body: JSON, into request: inout RenderDeployRequest, _ service: RenderService) throws(RenderFailure) {
        for name in ["commitId", "imageUrl", "clearCache", "deployMode"] {
            guard let value = body[name] else { continue }
            guard let text = value.string else { throw .wrong("\(name) must be a string") }
            switch name {
            case "commitId":
                guard service.kind != .cron else { throw .wrong("commitId is not supported for cron jobs") }
                guard !service.isImageBacked else { throw .wrong("commitId is not supported for image-backed services") }
                guard let commit = service.commits.last(where: { $0.id == text }) else { throw .wrong("commit not found: \(text)") }
                request.commit = commit
            case "imageUrl":
                guard let configured = service.settings.image else {
                    throw .wrong("imageUrl is only supported for image-backed services")
                }
                guard let image = RenderImage(text) else { throw .wrong("invalid imageUrl") }
                guard image.repository == configured.repository else {
                    throw .wrong("imageUrl must match the host, repository and name of the service's image")
                }
                request.image = image
            case "clearCache":
                guard ["clear", "do_not_clear"].contains(text) else { throw .wrong("clearCache must be clear or do_not_clear") }
                request.clearsCache = text == "clear"
            default:
                guard ["deploy_only", "build_and_deploy"].contains(text) else {
                    throw .wrong("deployMode must be deploy_only or build_and_deploy")
                }
                guard !["commitId", "imageUrl", "clearCache"].contains(where: { body[$0] != nil }) else {
                    throw .wrong("deployMode cannot be combined with commitId, imageUrl or clearCache")
                }
                request.skipsBuild = text == "deploy_only"
            }
        }
        guard !request.skipsBuild || service.running != nil else { throw .wrong("there is no successful build to deploy") }
    }

    mutating func cancelDeploy(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        guard services[index].kind != .cron else { throw .wrong("not supported for cron jobs") }
        guard let deploy = services[index].deploy(call["deploy"]) else { throw .notFound(call["deploy"]) }
        guard deploy.isActive else { throw .wrong("deploy is not in progress") }
        if deploy.isWaiting { cancelQuietly(deploy.id, index, call.now) } else { finish(deploy.id, index, "canceled", call.now) }
        services[index].note(call.now, "cancel", [("deploy", .string(deploy.id))])
        return RenderAnswer(200, services[index].deploy(deploy.id).map { services[index].json($0) })
    }

    mutating func rollback(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        let service = services[index]
        guard let target = try call.object()["deployId"]?.string else { throw .wrong("deployId is required") }
        guard service.kind != .cron else { throw .wrong("rollbacks are not supported for cron jobs") }
        guard let deploy = service.deploy(target) else { throw .notFound(target) }
        guard deploy.hasServed else { throw .wrong("cannot roll back to a deploy that was not successful") }
        guard service.keepsArtifact(of: deploy, retention) else {
            throw RenderFailure(goneStatus, "the build artifact of \(target) is no longer available")
        }
        guard !service.isSuspended else { throw .wrong("cannot roll back a suspended service") }
        let isBusy = service.deploys.contains(where: \.isActive)
        guard !isBusy || policy == .override || rollbackOverlap == .queued else { throw .wrong("another deploy is in progress") }
        let id = rollBack(index, to: target, call.now)
        services[index].note(call.now, "rollback", [("deploy", .string(id)), ("to", .string(target))])
        if rollbackStopsAutoDeploy { setAutoDeploy("off", index, reason: "rollback", call.now) }
        return RenderAnswer(201, services[index].deploy(id).map { services[index].json($0) })
    }

    /// Begins a rollback, or has it wait for what runs.
    mutating func rollBack(_ index: Int, to target: String, _ now: Int64) -> String {
        let request = RenderDeployRequest(trigger: "rollback", rollbackTarget: target)
        guard services[index].deploys.contains(where: \.isActive), policy == .wait else {
            return trigger(request, index, now) ?? ""
        }
        services[index].waiting = nil
        for deploy in services[index].deploys where deploy.isWaiting { cancelQuietly(deploy.id, index, now) }
        return make(request, index, now)
    }

    /// - Parameter reason: as its event says it: `manual_deploy`, `rollback` or `setting_change`.
    mutating func setAutoDeploy(_ trigger: String, _ index: Int, reason: String, _ now: Int64) {
        let before = services[index].settings.autoDeploy
        guard before != trigger else { return }
        services[index].settings.autoDeploy = trigger
        if trigger == "off" {
            add("auto_deploy_disabled", ["reason": .string(reason), "fromTrigger": .string(before)], to: index, now)
        } else {
            add("auto_deploy_enabled", ["newTrigger": .string(trigger)], to: index, now)
        }
    }
}

extension RenderDeployRequest {
    /// For the books.
    var facts: [(key: String, value: JSON)] {
        var facts: [(key: String, value: JSON)] = []
        if let commit { facts.append(("commit", .string(commit.id))) }
        if let image { facts.append(("image", .string(image.description))) }
        if clearsCache { facts.append(("clearCache", true)) }
        if skipsBuild { facts.append(("deployOnly", true)) }
        return facts
    }
}
