import JSONValues

extension RenderState {
    func listServices(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let found = services.filter { service in
            !service.isForbidden && call.list("name")?.contains(service.name) ?? true
                && call.list("type")?.contains(service.kind.rawValue) ?? true && call.list("ownerId")?.contains(owner) ?? true
                && call.list("suspended")?.contains(service.isSuspended ? "suspended" : "not_suspended") ?? true
        }
        return try page(found.sorted { $0.createdAt > $1.createdAt }, call, "service") { service in
            (service.json(owner: owner), "\(service.id) \(service.updatedAt.microseconds)")
        }
    }

    func getService(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        RenderAnswer(200, services[try service(call)].json(owner: owner))
    }

    func listInstances(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let service = services[try service(call)]
        guard let running = service.running, !service.isSuspended, ![.cron, .staticSite].contains(service.kind) else {
            return RenderAnswer(200, [])
        }
        let instances = (0..<max(0, running.snapshot.instances)).map { place -> JSON in
            let suffix = RenderText.letters("\(service.id) \(running.since.microseconds) \(place)", 5)
            return ["id": .string("\(service.id)-\(suffix)"), "createdAt": .string(running.since.text)]
        }
        return RenderAnswer(200, .array(instances))
    }

    /// The same version with the same environment in new instances: what was saved since is not picked up.
    mutating func restart(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        guard services[index].kind != .cron else { throw .wrong("not supported for cron jobs") }
        guard !services[index].isSuspended else { throw .wrong("cannot restart a suspended service") }
        guard let running = services[index].running else { throw .wrong("nothing has been deployed") }
        if let image = running.snapshot.image {
            if let sha = registry.pull(image) {
                services[index].running?.snapshot.sha = sha
            } else {
                add("image_pull_failed", ["message": "image not found", "imageURL": .string(image.description)], to: index, call.now)
            }
        }
        let since = moment(call.now)
        services[index].running?.since = since
        add("server_restarted", ["triggeredByUser": "usr-ada"], to: index, call.now)
        services[index].note(call.now, "restart")
        return RenderAnswer(200)
    }

    mutating func suspend(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        suspend(index, by: "user", call.now)
        services[index].note(call.now, "suspend")
        return RenderAnswer(202)
    }

    private mutating func touch(_ index: Int, _ now: Int64) {
        let moment = moment(now)
        services[index].updatedAt = moment
    }

    mutating func suspend(_ index: Int, by actor: String, _ now: Int64) {
        guard !services[index].suspenders.contains(actor) else { return }
        services[index].suspenders.append(actor)
        touch(index, now)
        cancelAll(index, now)
        services[index].pushes = []
        if let live = services[index].live {
            let ended = moment(now)
            services[index].update(live.id) { deploy in
                deploy.status = "deactivated"
                deploy.updatedAt = ended
            }
        }
        add("suspender_added", ["actor": .string(actor)], to: index, now)
    }

    mutating func resume(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        guard services[index].suspenders.allSatisfy({ $0 == "user" }) else {
            throw .wrong("the service is suspended by \(services[index].suspenders.joined(separator: ", "))")
        }
        if services[index].isSuspended {
            services[index].suspenders = []
            touch(index, call.now)
            add("suspender_removed", ["actor": "user"], to: index, call.now)
            let request = RenderDeployRequest(trigger: "service_resumed", skipsBuild: services[index].running != nil)
            let id = trigger(request, index, call.now)
            services[index].note(call.now, "resume", [("deploy", .optional(id))])
        }
        return RenderAnswer(202)
    }

    mutating func scale(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        guard let count = try call.object()["numInstances"]?.integer, (1...100).contains(count) else {
            throw .wrong("numInstances must be between 1 and 100")
        }
        guard ![.cron, .staticSite].contains(services[index].kind) else {
            throw .wrong("not supported for \(services[index].kind.rawValue)")
        }
        guard services[index].settings.disk == nil || count == 1 else { throw .wrong("a service with a disk cannot be scaled") }
        guard !services[index].settings.isAutoscaled else { return RenderAnswer(202) }
        let before = services[index].settings.instances
        services[index].settings.instances = count
        services[index].running?.snapshot.instances = count
        touch(index, call.now)
        add("instance_count_changed", ["fromInstances": .integer(before), "toInstances": .integer(count)], to: index, call.now)
        services[index].note(call.now, "scale", [("instances", .integer(count))])
        return RenderAnswer(202)
    }

    // MARK: - Settings

    /// Saves what the body names; nothing of it is deployed.
    mutating func patchService(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        let body = try call.object()
        var draft = services[index]
        var fields: [String] = []
        func text(_ place: JSON, _ name: String) throws(RenderFailure) -> String? {
            guard let value = place[name] else { return nil }
            guard let text = value.string else { throw .wrong("\(name) must be a string") }
            fields.append(name)
            return text
        }
        if let name = try text(body, "name") { draft.name = name }
        if let repository = try text(body, "repo") { draft.settings.repository = repository }
        if let branch = try text(body, "branch") { draft.settings.branch = branch }
        if let directory = try text(body, "rootDir") { draft.settings.rootDirectory = directory }
        if let image = body["image"] {
            draft.settings.image = try self.image(image, draft)
            fields.append("image")
        }
        if let details = body["serviceDetails"] {
            if let path = try text(details, "healthCheckPath") { draft.settings.healthCheckPath = path }
            if let command = try text(details, "preDeployCommand") { draft.settings.preDeployCommand = command }
            if let plan = try text(details, "plan") { draft.settings.plan = plan }
            if let schedule = try text(details, "schedule") { draft.settings.schedule = schedule }
            if let command = try text(details, "buildCommand") { draft.settings.buildCommand = command }
            if let delay = details["maxShutdownDelaySeconds"]?.integer {
                guard (1...300).contains(delay) else { throw .wrong("maxShutdownDelaySeconds must be between 1 and 300") }
                draft.settings.shutdownDelay = delay
                fields.append("maxShutdownDelaySeconds")
            }
            if let environment = details["envSpecificDetails"] {
                if let command = try text(environment, "startCommand") { draft.settings.startCommand = command }
                if let command = try text(environment, "dockerCommand") { draft.settings.startCommand = command }
                if let command = try text(environment, "buildCommand") { draft.settings.buildCommand = command }
            }
            if let maintenance = details["maintenanceMode"] {
                (draft.settings.isInMaintenance, draft.settings.maintenancePage) = try maintenanceMode(maintenance, draft)
                fields.append("maintenanceMode")
            }
        }
        let trigger = try autoDeploy(body)
        if trigger != nil { fields.append("autoDeploy") }
        let wasInMaintenance = services[index].settings.isInMaintenance
        services[index] = draft
        if let trigger { setAutoDeploy(trigger, index, reason: "setting_change", call.now) }
        if draft.settings.isInMaintenance != wasInMaintenance {
            add("maintenance_mode_enabled", ["enabled": .bool(draft.settings.isInMaintenance)], to: index, call.now)
        }
        if !fields.isEmpty {
            touch(index, call.now)
            services[index].note(call.now, "update", [("fields", .array(fields.map(JSON.string)))])
        }
        return RenderAnswer(200, services[index].json(owner: owner))
    }

    /// Nil: unchanged. A Boolean is neither refused nor heeded.
    private func autoDeploy(_ body: JSON) throws(RenderFailure) -> String? {
        if let trigger = body["autoDeployTrigger"] {
            guard let text = trigger.string, ["off", "commit", "checksPass"].contains(text) else {
                throw .wrong("autoDeployTrigger must be off, commit or checksPass")
            }
            return text
        }
        guard let value = body["autoDeploy"], value.bool == nil else { return nil }
        guard let text = value.string, ["yes", "no"].contains(text) else { throw .wrong("autoDeploy must be yes or no") }
        return text == "yes" ? "commit" : "off"
    }

    private func image(_ body: JSON, _ service: RenderService) throws(RenderFailure) -> RenderImage {
        guard let path = body["imagePath"]?.string, let asked = body["ownerId"]?.string else {
            throw .wrong("image needs ownerId and imagePath")
        }
        guard asked == owner else { throw .wrong("image.ownerId must be the service's owner") }
        guard service.isImageBacked else { throw .wrong("image is only supported for image-backed services") }
        guard let image = RenderImage(path) else { throw .wrong("invalid imagePath") }
        return image
    }

    private func maintenanceMode(_ body: JSON, _ service: RenderService) throws(RenderFailure) -> (Bool, String) {
        guard let isOn = body["enabled"]?.bool, let page = body["uri"]?.string else {
            throw .wrong("maintenanceMode needs enabled and uri")
        }
        guard service.kind == .web, service.settings.plan != "free" else {
            throw .wrong("maintenance mode is only supported for paid web services")
        }
        guard page.isEmpty || !page.hasPrefix(service.url) else { throw .wrong("the maintenance page must not be on the same service") }
        return (isOn, page)
    }
}
