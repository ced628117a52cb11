import JSONValues

extension FlyState {
    private enum State: String, CaseIterable { case created, started, stopped, suspended, failed, destroyed, replacing }
    private enum Autostop: String, CaseIterable { case off, stop, suspend }
    private enum Helper: String, CaseIterable {
        case releaseCommand = "release_command"
        case console
        case test

        var group: String {
            switch self {
            case .releaseCommand: "fly_app_release_command"
            case .console: "fly_app_console"
            case .test: "fly_app_test_machine_command"
            }
        }
    }
    private enum Update: String, CaseIterable {
        case normal, pullFails, crashes, wedged, autostops, unhealthy, noCapacity

        var outcome: FlyMachine.Outcome {
            switch self {
            case .normal: .normal
            case .pullFails: .pullFails
            case .crashes: .crashes
            case .wedged: .wedged
            case .autostops: .autostops(1000)
            case .unhealthy: .unhealthy
            case .noCapacity: .noCapacity
            }
        }
    }

    static func machines(_ place: WorldReader, _ app: inout FlyApp, _ now: Int64) throws(WorldError) {
        var groups: [String] = []
        for group in try place.elements("groups") { groups.append(try group.text()) }
        if groups.isEmpty { groups = ["app"] }
        let live = try live(place, app)
        guard let list = place["machines"] else { return }
        if list.value.array != nil {
            for item in try list.elements() { try machine(item, of: place, group: groups[0], live, &app, now) }
        } else {
            let count = try list.number()
            guard (0...1000).contains(count) else { throw WorldError(list.path, "expected a list, or a number up to 1000") }
            for group in groups {
                for _ in 0..<Int(count) { try machine(WorldReader([:], list.path), of: place, group: group, live, &app, now) }
            }
        }
    }

    /// The version that machines run.
    private static func live(_ place: WorldReader, _ app: FlyApp) throws(WorldError) -> Int? {
        guard let number = try place.number("live") else { return app.releases.last { $0.status == .complete }?.version }
        guard app.releases.contains(where: { $0.version == Int(number) }) else {
            throw WorldError("\(place.path).live", "expected the version of a release of this app, found \(Int(number))")
        }
        return Int(number)
    }

    private static func machine(
        _ item: WorldReader, of place: WorldReader, group: String, _ live: Int?, _ app: inout FlyApp, _ now: Int64
    ) throws(WorldError) {
        try item.mapping([
            "id", "name", "region", "group", "state", "release", "env", "autostop", "checks", "mounts", "services", "config", "cordoned",
            "host", "helper", "nextUpdate", "lease",
        ])
        let version = try item.number("release").map { Int($0) } ?? live
        var past = app.releases.filter { $0.version <= version ?? 0 && ($0.status == .complete || $0.version == version) }
        if let version, past.last?.version != version {
            throw WorldError("\(item.path).release", "expected the version of a release of this app, found \(version)")
        }
        let helper = try item["helper"]?.word(Helper.self)
        // A helper has not been there before.
        if helper != nil { past = Array(past.suffix(1)) }
        let ownGroup = try item.text("group")
        let group = helper?.group ?? ownGroup ?? group
        let config = try config(item, place, group: group)
        var versions: [FlyMachine.Version] = []
        for release in past {
            let config = merged(config, release)
            versions.append(
                FlyMachine.Version(id: app.identifiers.ulid(at: release.createdAt), config: config, image: image(config, release, app)))
        }
        if versions.isEmpty {
            var config = config
            config["image"] = "registry-1.docker.io/library/alpine:latest"
            versions = [FlyMachine.Version(id: app.identifiers.ulid(at: app.createdAt), config: config, image: image(config, nil, app))]
        }
        var position = FlyIdentifiers(seed: "\(app.name)/\(app.machines.count)")
        let id = try item.text("id") ?? position.machine()
        guard app.index(of: id) == nil else {
            throw WorldError("\(item.path).id", "expected an id that no other machine has, found \(id)")
        }
        let state = try item["state"]?.word(State.self) ?? .started
        let updatedAt = past.last?.createdAt ?? app.createdAt
        var machine = FlyMachine(
            id: id, name: try item.text("name") ?? "\(app.name)-\(id.prefix(6))", region: try item.text("region") ?? app.region,
            state: state.rawValue, versions: versions, current: versions.count - 1, createdAt: app.createdAt, updatedAt: updatedAt)
        machine.isCordoned = try item.flag("cordoned") ?? false
        machine.host = try item["host"]?.word(FlyMachine.Host.self) ?? .ok
        machine.secrets = app.secrets.digests(at: now, least: .max, delay: 0)
        if let next = try item["nextUpdate"]?.word(Update.self) { machine.nextUpdates = [next.outcome] }
        if state == .started { machine.startedAt = updatedAt }
        if state == .destroyed {
            machine.destroyedAt = updatedAt
            machine.isForgotten = false
        }
        machine.isUnhealthy = machine.version.image.fate == .unhealthy
        app.machines.append(machine)
        let index = app.machines.count - 1
        app.event(index, "launch", "created", "flyd", updatedAt)
        if state == .started {
            app.event(index, "start", "started", "flyd", updatedAt)
            // An image that crashes does so from now on.
            if machine.version.image.fate == .crashes { app.planStart(index, now, .crashes) }
        }
        if let seconds = try item.number("lease") {
            app.lease(index, owner: "ada@tokens.fly.io", description: "somebody else's", seconds: Int(seconds), at: now)
        }
    }

    private static func config(_ item: WorldReader, _ place: WorldReader, group: String) throws(WorldError) -> JSON {
        var service: JSON = [
            "protocol": "tcp", "internal_port": 8080, "autostart": true,
            "ports": [["port": 443, "handlers": ["tls", "http"]], ["port": 80, "handlers": ["http"]]],
        ]
        service["autostop"] = .string(try (item["autostop"] ?? place["autostop"])?.word(Autostop.self).rawValue ?? "off")
        var config: JSON = [
            "init": [:], "guest": ["cpu_kind": "shared", "cpus": 1, "memory_mb": 256],
            "restart": ["policy": "on-failure", "max_retries": .integer(FlyMachine.restarts)],
            "metadata": ["fly_platform_version": "v2", "fly_process_group": .string(group), "fly_flyctl_version": "0.3.200"],
        ]
        config["env"] = ["PRIMARY_REGION": "fra", "FLY_PROCESS_GROUP": .string(group)]
        for source in [place["env"], item["env"]] {
            for (name, value) in source?.value.object?.members ?? [] { config["env"]?[name] = .string(value.string ?? value.description) }
        }
        config["services"] = item["services"]?.value ?? [service]
        if let mounts = item["mounts"] { config["mounts"] = mounts.value }
        for check in try (item["checks"] ?? place["checks"])?.elements() ?? [] {
            var checks = config["checks"] ?? [:]
            checks[try check.text()] = [
                "type": "http", "port": 8080, "path": "/healthz", "interval": "15s", "timeout": "2s", "grace_period": "5s",
            ]
            config["checks"] = checks
        }
        for (name, value) in item["config"]?.value.object?.members ?? [] { config[name] = value }
        return config
    }

    private static func merged(_ config: JSON, _ release: FlyRelease) -> JSON {
        var config = config
        config["image"] = .string(release.image)
        var metadata = config["metadata"] ?? [:]
        metadata["fly_release_id"] = .string(release.id)
        metadata["fly_release_version"] = .string(String(release.version))
        config["metadata"] = metadata
        return config
    }

    private static func image(_ config: JSON, _ release: FlyRelease?, _ app: FlyApp) -> FlyRunningImage {
        let name = config["image"]?.string ?? ""
        let reference =
            FlyImageReference(name)
            ?? FlyImageReference(
                registry: FlyImageReference.registry, repository: app.name)
        let image = release == nil ? nil : app.image(reference)
        return FlyRunningImage(reference: reference, digest: image?.digest ?? FlyIdentifiers.digest(name), fate: image?.fate ?? .runs)
    }
}

extension FlyImageReference {
    init(registry: String, repository: String) {
        self.registry = registry
        self.repository = repository
    }
}
