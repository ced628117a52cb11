import JSONValues

extension VercelState {
    private enum Plan: String, CaseIterable { case hobby, pro, enterprise }
    private enum State: String, CaseIterable {
        case ready = "READY"
        case error = "ERROR"
        case canceled = "CANCELED"
        case blocked = "BLOCKED"
        case building = "BUILDING"
        case deleted = "DELETED"
    }
    private enum Target: String, CaseIterable { case production, preview, staging }
    private enum Job: String, CaseIterable { case succeeded, failed, skipped, neverBegins, neverEnds }
    private enum Build: String, CaseIterable { case ready, error, blocked, canceled, stuck }
    private enum Assignment: String, CaseIterable { case normal, checksFailed, checksPending, skipped, error }

    /// See ``VercelSimulator/init(world:clock:token:)`` for the form.
    init(_ world: JSON, now: Int64) throws(WorldError) {
        let reader = WorldReader(world, "vercel")
        try reader.mapping(["plan", "unauthorized", "rateLimits", "sensitiveEnvironmentVariablePolicy", "projects", "edgeConfigs"])
        isSensitivePolicyOn = try Self.isSensitivePolicyOn(reader)
        plan = try reader["plan"]?.word(Plan.self).rawValue ?? "pro"
        refusal = Int(try reader.number("unauthorized") ?? 403)
        guard [401, 403].contains(refusal) else { throw WorldError("vercel.unauthorized", "expected 401 or 403") }
        projects = []
        for place in try reader.elements("projects") {
            let project = try Self.project(place, now)
            guard !projects.contains(where: { $0.name == project.name && $0.team == project.team }) else {
                throw WorldError("\(place.path).name", "expected a name that no other project of its team has, found \(project.name)")
            }
            projects.append(project)
        }
        edgeConfigs = try VercelEdgeConfig.read(reader, now)
        for place in try reader.elements("rateLimits") {
            try place.mapping(["bucket", "limit", "seconds", "retryAfter"])
            limits.append(
                Limit(
                    bucket: try place.required("bucket", "a bucket, for instance deployments.list"),
                    count: Int(try place.number("limit") ?? 100), window: Int64(try place.number("seconds") ?? 60) * 1000,
                    saysRetryAfter: try place.flag("retryAfter") ?? true))
        }
    }

    private static func project(_ place: WorldReader, _ now: Int64) throws(WorldError) -> VercelProject {
        try place.mapping([
            "name", "id", "team", "repository", "branch", "domains", "production", "autoAssign", "deployments", "seconds", "nextJob",
            "nextBuild", "nextAssignment", "rollingRelease", "stuckCursor", "env", "nextEnv",
        ])
        let name = try place.required("name", "the project's name")
        let team = try place.text("team")
        var project = VercelProject(
            id: try place.text("id") ?? "prj_\(name.filter { $0.isLetter || $0.isNumber })", name: name, team: team,
            repository: try place.text("repository") ?? "\(team ?? "personal")/\(name)", branch: try place.text("branch") ?? "main",
            domains: [], createdAt: now - 90 * 86_400_000)
        for domain in try place.elements("domains") { project.domains.append(try Self.domain(domain)) }
        if project.domains.isEmpty { project.domains = [VercelProject.Domain(name: "\(name).vercel.app")] }
        project.timing = try Self.timing(place["seconds"])
        project.setAutoAssign(try place.flag("autoAssign") ?? true, by: Optional.none)
        project.variables = try VercelVariable.read(place, now)
        project.hasStuckCursor = try place.flag("stuckCursor") ?? false
        for item in try place.elements("deployments") {
            let deployment = try Self.deployment(item, project, now, project.deployments.count)
            guard project.deployment(deployment.id) == nil else {
                throw WorldError("\(item.path).id", "expected an id that no other deployment has, found \(deployment.id)")
            }
            project.deployments.append(deployment)
        }
        if let id = try place.text("production") { try project.begin(at: id, "\(place.path).production", now) }
        try Self.outcomes(place, &project)
        return project
    }

    private static func domain(_ place: WorldReader) throws(WorldError) -> VercelProject.Domain {
        guard place.value.object != nil else { return VercelProject.Domain(name: try place.text()) }
        try place.mapping(["name", "redirect", "deployment"])
        return VercelProject.Domain(
            name: try place.required("name", "a host name"), redirect: try place.text("redirect"),
            deployment: try place.text("deployment"))
    }

    private static func timing(_ place: WorldReader?) throws(WorldError) -> VercelProject.Timing {
        var timing = VercelProject.Timing()
        guard let place else { return timing }
        try place.mapping(["queue", "build", "assign", "pending", "job"])
        func read(_ name: String, _ value: inout Int64) throws(WorldError) {
            if let seconds = try place.number(name) { value = Int64(max(0, seconds) * 1000) }
        }
        try read("queue", &timing.queue)
        try read("build", &timing.build)
        try read("assign", &timing.assign)
        try read("pending", &timing.pending)
        try read("job", &timing.job)
        return timing
    }

    private static func deployment(_ place: WorldReader, _ project: VercelProject, _ now: Int64, _ position: Int) throws(WorldError)
        -> VercelDeployment
    {
        try place.mapping([
            "id", "url", "sha", "ref", "message", "author", "target", "state", "minutesAgo", "promoted", "staged", "meta", "prebuilt",
            "env",
        ])
        let id = try place.required("id", "a deployment id, for instance dpl_7HxQ2m")
        guard id.hasPrefix("dpl_") else { throw WorldError("\(place.path).id", "expected an id that begins with dpl_, found \(id)") }
        let target = try place["target"]?.word(Target.self) ?? .production
        let state = try place["state"]?.word(State.self) ?? .ready
        let age = try place.number("minutesAgo") ?? Double(position)
        let timing = project.timing
        // No two deployments begin in one millisecond: paging goes by that time.
        var created = now - Int64(age * 60_000) - Int64(position)
        if state != .building { created = min(created, now - timing.queue - timing.build - timing.assign - Int64(position)) }
        var deployment = VercelDeployment(
            id: id, url: try place.text("url") ?? Self.url(id, project.name, project.team),
            target: target == .preview ? nil : target.rawValue, sha: try place.text("sha"),
            ref: try place.text("ref") ?? (target == .production ? project.branch : "feature"), message: try place.text("message"),
            author: try place.text("author") ?? "ada", source: try place.flag("prebuilt") == true ? "cli" : "git", createdAt: created,
            queueTime: timing.queue, buildTime: timing.build)
        if let meta = place["meta"]?.value.object {
            deployment.meta = meta.members.compactMap { member in member.value.string.map { (member.key, $0) } }
        }
        switch state {
        case .ready: deployment.isDecided = true
        case .building: break
        case .error: deployment.build = .error(code: "BUILD_FAILED", message: "Command \"npm run build\" exited with 1")
        case .blocked: deployment.build = .blocked
        case .canceled: deployment.canceledAt = created + timing.queue
        case .deleted: deployment.deletedAt = now - 1
        }
        deployment.variables = try Self.built(place, deployment, project)
        if let promoted = try place.flag("promoted") { deployment.isPromoted = promoted }
        if try place.flag("staged") == true { deployment.isStagedOnly = true }
        return deployment
    }

    private static func outcomes(_ place: WorldReader, _ project: inout VercelProject) throws(WorldError) {
        if let job = place["nextJob"] {
            try job.mapping(["outcome", "failing"])
            switch try job["outcome"]?.word(Job.self) ?? .succeeded {
            case .succeeded: project.nextJob = .succeeded
            case .skipped: project.nextJob = .skipped
            case .neverBegins: project.nextJob = .neverBegins
            case .neverEnds: project.nextJob = .neverEnds
            case .failed:
                var names: [String] = []
                for name in try job.elements("failing") { names.append(try name.text()) }
                project.nextJob = .failed(names)
            }
        }
        if let variables = place["nextEnv"] {
            try variables.mapping(["failing"])
            for key in try variables.elements("failing") { project.failingVariables.insert(try key.text()) }
        }
        switch try place["nextBuild"]?.word(Build.self) ?? .ready {
        case .ready: project.nextBuild = .ready
        case .error: project.nextBuild = .error(code: "BUILD_FAILED", message: "Command \"npm run build\" exited with 1")
        case .blocked: project.nextBuild = .blocked
        case .canceled: project.nextBuild = .canceled
        case .stuck: project.nextBuild = .stuck
        }
        switch try place["nextAssignment"]?.word(Assignment.self) ?? .normal {
        case .normal: project.nextAssignment = .normal
        case .checksFailed: project.nextAssignment = .checksFailed
        case .checksPending: project.nextAssignment = .checksPending
        case .skipped: project.nextAssignment = .skipped
        case .error: project.nextAssignment = .error(code: "cert_missing", message: "The certificate of the domain is missing")
        }
        guard let rolling = place["rollingRelease"] else { return }
        try rolling.mapping(["stages"])
        var stages: [VercelRollingRelease.Stage] = []
        for stage in try rolling.elements("stages") {
            try stage.mapping(["percentage", "minutes"])
            let percentage = Int(try stage.number("percentage") ?? 100)
            stages.append(VercelRollingRelease.Stage(percentage: percentage, minutes: try stage.number("minutes").map { Int($0) }))
        }
        guard stages.last?.percentage == 100 else {
            throw WorldError("\(rolling.path).stages", "expected the last stage to be 100 percent")
        }
        project.stages = stages
    }
}

extension VercelProject {
    /// The world begins with this deployment live; ready production deployments before it have served, later ones wait.
    fileprivate mutating func begin(at id: String, _ path: String, _ now: Int64) throws(WorldError) {
        guard let live = deployment(id), live.isProduction, live.isReady(at: now) else {
            throw WorldError(path, "expected the id of a READY production deployment of this project, found \(id)")
        }
        for index in servingDomains where domains[index].deployment == nil { domains[index].deployment = id }
        for index in deployments.indices where deployments[index].isProduction && deployments[index].isReady(at: now) {
            if deployments[index].createdAt <= live.createdAt, !deployments[index].isStagedOnly { deployments[index].isPromoted = true }
            if deployments[index].isPromoted { deployments[index].assignedAt = deployments[index].builtAt }
        }
        history = deployments.filter { $0.isPromoted && $0.id != id && $0.createdAt < live.createdAt }
            .sorted { $0.createdAt < $1.createdAt }.map(\.id)
        production = id
    }
}
