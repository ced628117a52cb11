import JSONValues

/// Deploys that a world begins with.
extension RenderState {
    private enum Status: String, CaseIterable {
        case live, deactivated, canceled
        case buildFailed = "build_failed"
        case preDeployFailed = "pre_deploy_failed"
        case updateFailed = "update_failed"
        case building = "build_in_progress"
        case updating = "update_in_progress"
    }

    private enum Trigger: String, CaseIterable {
        case api, manual, rollback, other
        case newCommit = "new_commit"
        case hook = "deploy_hook"
        case platform = "deployed_by_render"
        case updated = "service_updated"
        case resumed = "service_resumed"
        case blueprint = "blueprint_sync"
    }

    mutating func addDeploys(_ place: WorldReader, _ index: Int, _ now: Int64) throws(WorldError) {
        let items = try place.elements("deploys")
        for (position, item) in items.enumerated() { try addDeploy(item, index, now, items.count - position) }
        services[index].deploys.sort { $0.createdAt < $1.createdAt }
        guard let live = services[index].live else { return }
        // Whoever served before was replaced by the next one that did.
        let served = services[index].deploys.filter { $0.status == "live" }
        for (deploy, successor) in zip(served, served.dropFirst()) {
            services[index].update(deploy.id) { deploy in
                deploy.status = "deactivated"
                deploy.updatedAt = successor.finishedAt ?? successor.createdAt
            }
        }
        services[index].running = RenderService.Running(
            deploy: live.id, snapshot: live.snapshot, environment: environment(live.snapshot), since: live.finishedAt ?? live.createdAt)
        if services[index].isSuspended { services[index].update(live.id) { $0.status = "deactivated" } }
    }

    /// - Parameter age: its place from the newest on, in hours when the world says nothing else.
    private mutating func addDeploy(_ place: WorldReader, _ index: Int, _ now: Int64, _ age: Int) throws(WorldError) {
        try place.mapping([
            "id", "commit", "message", "tag", "sha", "status", "trigger", "minutesAgo", "env", "numInstances", "startCommand",
            "healthCheckPath", "envGroups", "artifact",
        ])
        let service = services[index]
        let id = try place.text("id") ?? "dep-\(RenderText.letters("\(service.id) \(age)", 20))"
        guard id.hasPrefix("dep-") else { throw WorldError("\(place.path).id", "expected an id that begins with dep-, found \(id)") }
        guard !services.contains(where: { $0.deploy(id) != nil }) else {
            throw WorldError("\(place.path).id", "expected an id that no other deploy has, found \(id)")
        }
        let status = try place["status"]?.word(Status.self) ?? .live
        let created = now - Int64((try place.number("minutesAgo") ?? Double(age * 60)) * 60_000) - Int64(age)
        var snapshot = RenderDeploy.Snapshot(
            commit: nil, image: service.settings.image, variables: service.variables, startCommand: service.settings.startCommand,
            healthCheckPath: service.settings.healthCheckPath, instances: service.settings.instances, groups: linkedGroups(service.id))
        if let configured = service.settings.image {
            if let tag = try place.text("tag") { snapshot.image = configured.with(tag) }
            if let sha = try place.text("sha") {
                guard sha.hasPrefix("sha256:") else { throw WorldError("\(place.path).sha", "expected sha256:…, found \(sha)") }
                snapshot.sha = sha
                if let image = snapshot.image, image.digest == nil { registry.set(image, sha) }
            } else {
                snapshot.sha = snapshot.image.flatMap { registry.pull($0) }
            }
        } else {
            let sha = try place.text("commit") ?? RenderText.hexadecimal("\(service.id) commit \(age)", 40)
            let commit = RenderCommit(
                id: sha, message: try place.text("message") ?? "A change", createdAt: RenderTime(milliseconds: created - 60_000))
            if !service.commits.contains(where: { $0.id == sha }) { services[index].commits.append(commit) }
            snapshot.commit = commit
        }
        if let env = place["env"] {
            guard let object = env.value.object else { throw WorldError(env.path, "expected a mapping of names to values") }
            snapshot.variables = []
            for key in object.keys { snapshot.variables.append(RenderVariable(key: key, value: try env.text(key) ?? "")) }
        }
        if let count = try place.number("numInstances") { snapshot.instances = Int(count) }
        if let command = try place.text("startCommand") { snapshot.startCommand = command }
        if let path = try place.text("healthCheckPath") { snapshot.healthCheckPath = path }
        if let linked = place["envGroups"] {
            snapshot.groups = []
            for item in try linked.elements() {
                let asked = try item.text()
                // One that is not there any more was deleted.
                snapshot.groups.append(groups.first { $0.name == asked }?.id ?? asked)
            }
        }
        let began = RenderTime(milliseconds: created, 30)
        var deploy = RenderDeploy(
            id: id, trigger: try place["trigger"]?.word(Trigger.self).rawValue ?? (service.isImageBacked ? "api" : "new_commit"),
            snapshot: snapshot, artifact: id, createdAt: began, startedAt: began, updatedAt: began)
        deploy.status = status.rawValue
        switch status {
        case .building:
            deploy.stages = [RenderDeploy.Stage(status: "update_in_progress", lasts: service.timing.update)]
            deploy.changesAt = created + service.timing.build
        case .updating: deploy.changesAt = created + service.timing.update
        case .live, .deactivated, .canceled, .buildFailed, .preDeployFailed, .updateFailed:
            let took = min(now - created, service.timing.build + service.timing.update)
            deploy.updatedAt = RenderTime(milliseconds: created + took, 40)
            deploy.finishedAt = deploy.updatedAt
        }
        if try place.flag("artifact") == false { services[index].evicted.insert(id) }
        services[index].deploys.append(deploy)
    }
}
