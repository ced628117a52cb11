import JSONValues

extension RenderState {
    private enum Event {
        case push(Int)
        case stageEnds(String)
    }

    /// Lets everything happen that was due by then, in its order.
    mutating func settle(until now: Int64) {
        while let (at, service, event) = nextEvent(), at <= now { happen(event, service, at) }
    }

    private func nextEvent() -> (at: Int64, service: Int, event: Event)? {
        var first: (at: Int64, service: Int, event: Event)?
        func offer(_ at: Int64, _ service: Int, _ event: Event) {
            if let found = first, found.at <= at { return }
            first = (at, service, event)
        }
        for (index, service) in services.enumerated() {
            for (place, push) in service.pushes.enumerated() { offer(push.at, index, .push(place)) }
            for deploy in service.deploys { if let at = deploy.changesAt { offer(at, index, .stageEnds(deploy.id)) } }
        }
        return first
    }

    private mutating func happen(_ event: Event, _ index: Int, _ at: Int64) {
        switch event {
        case .push(let place):
            let push = services[index].pushes.remove(at: place)
            if !services[index].isSuspended { _ = trigger(RenderDeployRequest(trigger: "new_commit", commit: push.commit), index, at) }
        case .stageEnds(let id):
            guard let deploy = services[index].deploy(id) else { return }
            if deploy.stages.isEmpty { finish(id, index, deploy.end, at) } else { enterNextStage(id, index, at) }
        }
    }

    // MARK: - Beginning

    /// A standard deploy by the workspace's policy: its id, or nil when it waits for the one that runs.
    mutating func trigger(_ request: RenderDeployRequest, _ index: Int, _ now: Int64) -> String? {
        if services[index].deploys.contains(where: \.isActive) {
            guard policy == .override else {
                services[index].waiting = request
                return nil
            }
            cancelAll(index, now)
        }
        return begin(request, index, now)
    }

    mutating func begin(_ request: RenderDeployRequest, _ index: Int, _ now: Int64) -> String {
        let id = make(request, index, now)
        start(id, index, now)
        return id
    }

    /// A deploy that has not begun.
    mutating func make(_ request: RenderDeployRequest, _ index: Int, _ now: Int64) -> String {
        let service = services[index]
        let id = makeID("dep")
        let created = moment(now)
        let settings = service.settings
        let previous = service.running.flatMap { service.deploy($0.deploy) }
        var snapshot = RenderDeploy.Snapshot(
            commit: request.commit ?? (request.skipsBuild ? previous?.snapshot.commit : nil) ?? service.commits.last,
            image: request.image ?? settings.image, variables: service.variables, startCommand: settings.startCommand,
            healthCheckPath: settings.healthCheckPath, instances: settings.instances, groups: linkedGroups(service.id))
        if let target = request.rollbackTarget.flatMap(service.deploy) {
            snapshot = target.snapshot
            // A group that is gone is left out; what the others hold is what they hold now.
            snapshot.groups = snapshot.groups.filter { id in groups.contains { $0.id == id } }
        } else if request.repeats, let previous {
            snapshot = previous.snapshot
        }
        if settings.disk != nil { snapshot.instances = 1 }
        if snapshot.image != nil { snapshot.commit = nil }
        snapshot.sha = snapshot.image.flatMap { registry.pull($0) }
        let source = request.rollbackTarget.flatMap(service.deploy) ?? (request.skipsBuild || request.repeats ? previous : nil)
        var deploy = RenderDeploy(
            id: id, trigger: request.trigger, snapshot: snapshot, artifact: source?.artifact ?? id, rollbackTarget: request.rollbackTarget,
            createdAt: created, updatedAt: created)
        let skipsBuild = source != nil || request.skipsBuild || snapshot.image != nil
        plan(&deploy, index, skipsBuild: skipsBuild, skipsPreDeploy: request.rollbackTarget != nil || request.repeats)
        services[index].deploys.append(deploy)
        return id
    }

    /// Decides what the deploy passes through.
    private mutating func plan(_ deploy: inout RenderDeploy, _ index: Int, skipsBuild: Bool, skipsPreDeploy: Bool) {
        let service = services[index]
        let timing = service.timing
        var stages: [RenderDeploy.Stage] = []
        if timing.queue > 0 { stages.append(RenderDeploy.Stage(status: "queued", lasts: timing.queue)) }
        if !skipsBuild { stages.append(RenderDeploy.Stage(status: "build_in_progress", lasts: timing.build)) }
        let hasPreDeploy = !service.settings.preDeployCommand.isEmpty && !skipsPreDeploy && service.kind != .cron
        let preDeploy = RenderDeploy.Stage(status: "pre_deploy_in_progress", lasts: timing.preDeploy)
        let update = RenderDeploy.Stage(status: "update_in_progress", lasts: timing.update)
        // The image of a cron job is pulled at each run: its deploy has nothing to wait for.
        let hasUpdate = !(service.kind == .cron && deploy.snapshot.image != nil)
        if deploy.snapshot.image != nil, deploy.snapshot.sha == nil {
            deploy.stages = stages + [update]
            deploy.end = "update_failed"
            return
        }
        let fate = service.next
        // A build that is to fail waits for a deploy that builds.
        if fate != .buildFails || !skipsBuild { services[index].next = .succeeds }
        switch fate {
        case .buildFails where !skipsBuild: deploy.end = "build_failed"
        case .preDeployFails:
            stages.append(preDeploy)
            deploy.end = "pre_deploy_failed"
        case .healthCheckFails:
            if hasPreDeploy { stages.append(preDeploy) }
            stages.append(RenderDeploy.Stage(status: "update_in_progress", lasts: timing.healthCheck))
            deploy.end = "update_failed"
        case .stuck: stages.append(RenderDeploy.Stage(status: "update_in_progress", lasts: nil))
        case .passesThrough(let status): stages += [RenderDeploy.Stage(status: status, lasts: timing.update), update]
        case .succeeds, .buildFails:
            if hasPreDeploy { stages.append(preDeploy) }
            if hasUpdate { stages.append(update) }
        }
        deploy.stages = stages
    }

    mutating func start(_ id: String, _ index: Int, _ now: Int64) {
        guard let deploy = services[index].deploy(id) else { return }
        // As recorded: a start can lie just before the creation.
        let started = deploy.createdAt.milliseconds == now ? RenderTime(milliseconds: now) : RenderTime(milliseconds: now, 20)
        services[index].update(id) { $0.startedAt = started }
        var trigger: JSON = [
            "firstBuild": .bool(services[index].deploys.count == 1), "envUpdated": .bool(deploy.trigger == "service_updated"),
            "manual": .bool(["api", "manual", "rollback"].contains(deploy.trigger)),
            "deployedByRender": .bool(deploy.trigger == "deployed_by_render"), "clearCache": false,
            "rollback": .bool(deploy.rollbackTarget != nil),
        ]
        if let target = deploy.rollbackTarget { trigger["rollbackTargetDeployId"] = .string(target) }
        if deploy.trigger == "new_commit", let commit = deploy.snapshot.commit { trigger["newCommit"] = .string(commit.id) }
        add("deploy_started", ["deployId": .string(id), "trigger": trigger], to: index, now)
        if deploy.stages.isEmpty { finish(id, index, deploy.end, now) } else { enterNextStage(id, index, now) }
    }

    private mutating func enterNextStage(_ id: String, _ index: Int, _ at: Int64) {
        let moment = RenderTime(milliseconds: at, 400)
        services[index].update(id) { deploy in
            let stage = deploy.stages.removeFirst()
            deploy.status = stage.status
            deploy.changesAt = stage.lasts.map { at + $0 }
            deploy.updatedAt = max(moment, deploy.createdAt)
        }
    }

    // MARK: - Ending

    /// Gives a deploy its last status, and lets the next one begin.
    mutating func finish(_ id: String, _ index: Int, _ status: String, _ at: Int64) {
        let moment = RenderTime(milliseconds: at, 700)
        guard let deploy = services[index].deploy(id), deploy.isActive else { return }
        if status == "live" {
            for other in services[index].deploys where other.status == "live" {
                services[index].update(other.id) { deploy in
                    deploy.status = "deactivated"
                    deploy.updatedAt = moment
                }
            }
        }
        services[index].update(id) { deploy in
            deploy.status = status
            deploy.stages = []
            deploy.changesAt = nil
            deploy.updatedAt = max(moment, deploy.createdAt)
            deploy.finishedAt = deploy.updatedAt
        }
        if status == "live" {
            services[index].running = RenderService.Running(
                deploy: id, snapshot: deploy.snapshot, environment: environment(deploy.snapshot), since: moment)
        }
        if let image = deploy.snapshot.image, deploy.snapshot.sha == nil, status == "update_failed" {
            add("image_pull_failed", ["message": "image not found", "imageURL": .string(image.description)], to: index, at)
        }
        let outcome = status == "live" ? "succeeded" : status == "canceled" ? "canceled" : "failed"
        let number = status == "live" ? 2 : status == "canceled" ? 4 : 3
        add(
            "deploy_ended",
            ["deployId": .string(id), "deployStatus": .string(outcome), "status": .integer(number), "reason": [:]], to: index, at)
        startNext(index, at)
    }

    /// What was asked for last begins; what was asked for in between is skipped.
    private mutating func startNext(_ index: Int, _ at: Int64) {
        guard services[index].active == nil else { return }
        if let request = services[index].waiting {
            services[index].waiting = nil
            for deploy in services[index].deploys where deploy.isWaiting { cancelQuietly(deploy.id, index, at) }
            _ = begin(request, index, at)
        } else if let deploy = services[index].deploys.last(where: \.isWaiting) {
            start(deploy.id, index, at)
        }
    }

    /// Cancels what runs and what waits.
    mutating func cancelAll(_ index: Int, _ at: Int64) {
        services[index].waiting = nil
        for deploy in services[index].deploys where deploy.isWaiting { cancelQuietly(deploy.id, index, at) }
        if let active = services[index].active { finish(active.id, index, "canceled", at) }
    }

    /// Cancels a deploy that has not begun.
    mutating func cancelQuietly(_ id: String, _ index: Int, _ at: Int64) {
        services[index].update(id) { deploy in
            deploy.status = "canceled"
            deploy.stages = []
            deploy.updatedAt = max(RenderTime(milliseconds: at, 700), deploy.createdAt)
            deploy.finishedAt = deploy.updatedAt
        }
    }
}
