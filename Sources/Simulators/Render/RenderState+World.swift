import JSONValues

extension RenderState {
    private enum Suspender: String, CaseIterable {
        case user, billing, admin
        case parent = "parent_service"
        case crashlooping = "stuck_crashlooping"
    }
    private enum Runtime: String, CaseIterable { case git, image, docker, elixir, go, node, python, ruby, rust }
    private enum AutoDeploy: String, CaseIterable { case off, commit, checksPass }
    private enum Fate: String, CaseIterable { case succeeds, buildFails, preDeployFails, healthCheckFails, stuck }
    private enum MaintenanceState: String, CaseIterable {
        case scheduled
        case inProgress = "in_progress"
        case userFixRequired = "user_fix_required"
        case cancelled, succeeded, failed
    }

    /// See ``RenderSimulator/init(world:clock:token:)`` for the form.
    init(_ world: JSON, now: Int64) throws(WorldError) {
        let reader = WorldReader(world, "render")
        try reader.mapping([
            "ownerId", "policy", "retention", "artifactGone", "rollbackStopsAutoDeploy", "rollbackDuringDeploy", "groupWritesDeploy",
            "hidesNewDeploys", "limits", "envGroups", "maintenance", "services",
        ])
        owner = try reader.text("ownerId") ?? "tea-acme"
        policy = try reader["policy"]?.word(Policy.self) ?? .wait
        retention = Int(try reader.number("retention") ?? 10)
        goneStatus = Int(try reader.number("artifactGone") ?? 400)
        guard [400, 404].contains(goneStatus) else { throw WorldError("render.artifactGone", "expected 400 or 404") }
        rollbackStopsAutoDeploy = try reader.flag("rollbackStopsAutoDeploy") ?? false
        rollbackOverlap = try reader["rollbackDuringDeploy"]?.word(Overlap.self) ?? .queued
        groupWritesDeploy = try reader.flag("groupWritesDeploy") ?? true
        hidesNewDeploys = Int64(max(0, try reader.number("hidesNewDeploys") ?? 0) * 1000)
        if let place = reader["limits"] {
            try place.mapping(["reads", "deploys", "writes"])
            limits.reads = Int(try place.number("reads") ?? 400)
            limits.deploys = Int(try place.number("deploys") ?? 10)
            limits.writes = Int(try place.number("writes") ?? 30)
        }
        let begun = RenderTime(milliseconds: now - 90 * 86_400_000)
        for place in try reader.elements("envGroups") {
            try place.mapping(["name", "id", "env"])
            let name = try place.required("name", "the group's name")
            var group = RenderGroup(
                id: try place.text("id") ?? "evg-\(name.filter { $0.isLetter || $0.isNumber })", name: name, createdAt: begun,
                updatedAt: begun)
            group.variables = try Self.variables(place["env"]) ?? []
            groups.append(group)
        }
        for place in try reader.elements("services") { try addService(place, now) }
        for place in try reader.elements("maintenance") {
            try place.mapping(["resource", "state", "type", "inMinutes"])
            maintenance.append(
                RenderMaintenance(
                    id: makeID("mrn"), resource: try place.required("resource", "the id of a service"),
                    state: try place["state"]?.word(MaintenanceState.self).rawValue ?? "scheduled",
                    type: try place.text("type") ?? "server_maintenance",
                    scheduledAt: RenderTime(milliseconds: now + Int64((try place.number("inMinutes") ?? 60) * 60_000))))
        }
    }

    private static func variables(_ place: WorldReader?) throws(WorldError) -> [RenderVariable]? {
        guard let place else { return nil }
        guard let object = place.value.object else { throw WorldError(place.path, "expected a mapping of names to values") }
        var all: [RenderVariable] = []
        for key in object.keys { all.append(RenderVariable(key: key, value: try place.text(key) ?? "")) }
        return all
    }

    private mutating func addService(_ place: WorldReader, _ now: Int64) throws(WorldError) {
        try place.mapping([
            "name", "id", "type", "runtime", "repo", "branch", "imagePath", "autoDeploy", "env", "envGroups", "numInstances", "suspended",
            "disk", "autoscaling", "startCommand", "preDeployCommand", "healthCheckPath", "plan", "schedule", "forbidden", "seconds",
            "commits", "next", "deploys",
        ])
        let name = try place.required("name", "the service's name")
        let kind = try place["type"]?.word(RenderService.Kind.self) ?? .web
        let begun = RenderTime(milliseconds: now - 90 * 86_400_000, Int64(services.count))
        let id = try place.text("id") ?? "\(kind == .cron ? "crn" : "srv")-\(name.filter { $0.isLetter || $0.isNumber })"
        guard !services.contains(where: { $0.name == name || $0.id == id }) else {
            throw WorldError("\(place.path).name", "expected a name and an id that no other service has, found \(name)")
        }
        var service = RenderService(
            id: id, name: name, kind: kind, settings: try Self.settings(place, name), createdAt: begun, updatedAt: begun)
        service.variables = try Self.variables(place["env"]) ?? []
        service.timing = try Self.timing(place["seconds"])
        service.isForbidden = try place.flag("forbidden") ?? false
        for item in try place.elements("commits") {
            try item.mapping(["id", "message"])
            service.commits.append(
                RenderCommit(id: try item.required("id", "a commit"), message: try item.text("message") ?? "A change", createdAt: begun))
        }
        try link(place["envGroups"], to: id)
        service.next =
            switch try place["next"]?.word(Fate.self) ?? .succeeds {
            case .succeeds: .succeeds
            case .buildFails: .buildFails
            case .preDeployFails: .preDeployFails
            case .healthCheckFails: .healthCheckFails
            case .stuck: .stuck
            }
        if let suspended = place["suspended"] {
            switch suspended.value {
            case .bool, .string("true"), .string("false"): if try suspended.flag() { service.suspenders = ["user"] }
            default: service.suspenders = [try suspended.word(Suspender.self).rawValue]
            }
        }
        services.append(service)
        try addDeploys(place, services.count - 1, now)
    }

    private mutating func link(_ place: WorldReader?, to service: String) throws(WorldError) {
        for item in try place?.elements() ?? [] {
            let asked = try item.text()
            guard let index = groups.firstIndex(where: { $0.name == asked || $0.id == asked }) else {
                throw WorldError(item.path, "expected the name of an env group, found \(asked)")
            }
            groups[index].services.append(service)
        }
    }

    private static func settings(_ place: WorldReader, _ name: String) throws(WorldError) -> RenderService.Settings {
        let runtime = try place["runtime"]?.word(Runtime.self)
        var settings = RenderService.Settings(runtime: runtime == .git || runtime == nil ? "node" : runtime?.rawValue ?? "node")
        if place["imagePath"] != nil || runtime == .image {
            let text = try place.required("imagePath", "a reference to an image")
            guard let image = RenderImage(text) else {
                throw WorldError("\(place.path).imagePath", "expected a reference to an image, found \(text)")
            }
            guard runtime == nil || runtime == .image else {
                throw WorldError("\(place.path).runtime", "expected image, because there is an imagePath")
            }
            (settings.runtime, settings.image) = ("image", image)
        } else {
            settings.repository = try place.text("repo") ?? "https://github.com/acme/\(name)"
            settings.branch = try place.text("branch") ?? "main"
        }
        settings.startCommand = try place.text("startCommand") ?? (settings.image == nil ? "npm start" : "")
        settings.preDeployCommand = try place.text("preDeployCommand") ?? ""
        settings.healthCheckPath = try place.text("healthCheckPath") ?? ""
        settings.plan = try place.text("plan") ?? "starter"
        settings.schedule = try place.text("schedule") ?? "0 * * * *"
        settings.disk = try place.text("disk")
        settings.isAutoscaled = try place.flag("autoscaling") ?? false
        settings.instances = Int(try place.number("numInstances") ?? 1)
        guard settings.disk == nil || settings.instances == 1 else {
            throw WorldError("\(place.path).numInstances", "expected 1, because there is a disk")
        }
        if let automatic = place["autoDeploy"] {
            switch automatic.value {
            case .bool, .string("true"), .string("false"): settings.autoDeploy = try automatic.flag() ? "commit" : "off"
            default: settings.autoDeploy = try automatic.word(AutoDeploy.self).rawValue
            }
        }
        return settings
    }

    private static func timing(_ place: WorldReader?) throws(WorldError) -> RenderService.Timing {
        var timing = RenderService.Timing()
        guard let place else { return timing }
        try place.mapping(["queue", "build", "preDeploy", "update", "push", "healthCheck"])
        func read(_ name: String, _ value: inout Int64) throws(WorldError) {
            if let seconds = try place.number(name) { value = Int64(max(0, seconds) * 1000) }
        }
        try read("queue", &timing.queue)
        try read("build", &timing.build)
        try read("preDeploy", &timing.preDeploy)
        try read("update", &timing.update)
        try read("push", &timing.push)
        try read("healthCheck", &timing.healthCheck)
        return timing
    }

    /// For tests and people: what matters. Never a value of a variable.
    var summary: JSON {
        [
            "ownerId": .string(owner), "policy": .string(policy.rawValue),
            "envGroups": .array(
                groups.map { group in
                    [
                        "name": .string(group.name), "id": .string(group.id), "services": .array(group.services.map(JSON.string)),
                        "keys": .array(group.variables.map { .string($0.key) }), "writes": .array(group.books.map(\.json)),
                    ]
                }),
            "services": .array(services.map { $0.summary() }),
        ]
    }
}
