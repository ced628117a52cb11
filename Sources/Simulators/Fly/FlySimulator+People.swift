import JSONValues

/// What other people do, with the same tools as everybody.
extension FlySimulator {
    /// Somebody runs `fly deploy`: a new release, then machine by machine under leases of 13 seconds, in time.
    ///
    /// - Parameter machines: nil for all that are not helpers; a part of them leaves the app with mixed versions.
    /// - Returns: the release's version; nil for an unknown app.
    @discardableResult
    public func deploy(_ app: String, tag: String, user: String = "ada@example.com", machines: [String]? = nil) -> Int? {
        let result: Int?? = change(app) { app, now in
            let name = "\(app.repository):\(tag)"
            guard let reference = FlyImageReference(name) else { return nil }
            let known = app.image(reference)
            let image = known ?? FlyImage(tag: tag, digest: FlyIdentifiers.digest("\(app.name):\(tag)"))
            if known == nil { app.images.append(image) }
            let release = app.addRelease(name, user: user, .running, at: now)
            app.note("create-release", now, release: release.id, byHuman: true)
            let chosen = app.machines.filter { machine in
                machines?.contains(machine.id) ?? !["fly_app_release_command", "fly_app_console", "fly_app_test_machine_command"]
                    .contains(machine.group ?? "")
            }
            app.deployments.append(
                FlyDeployment(
                    release: release.id, version: release.version,
                    image: FlyRunningImage(reference: reference, digest: image.digest, fate: image.isPruned ? .unpullable : image.fate),
                    name: name, user: "\(user.prefix { $0 != "@" })@tokens.fly.io", machines: chosen.map(\.id), at: now))
            return release.version
        }
        return result ?? nil
    }

    /// Whoever deploys closes the laptop: the release stays `running`, a lease lapses by itself.
    public func interruptDeploys(_ app: String) { change(app) { app, _ in app.deployments = [] } }

    /// A row of the ledger that no machine runs: stuck at `running`, `failed`, or whatever else is said.
    ///
    /// - Returns: its version; nil for an unknown app.
    @discardableResult
    public func addRelease(_ app: String, tag: String, status: String, user: String = "ada@example.com") -> Int? {
        change(app) { app, now in
            let release = app.addRelease("\(app.repository):\(tag)", user: user, .pending, at: now)
            app.updateRelease(release.id) { release in
                release.status = FlyRelease.Status(rawValue: status) ?? .pending
                release.oddStatus = FlyRelease.Status(rawValue: status) == nil ? status : nil
            }
            return release.version
        }
    }

    /// Somebody holds a machine under a lease.
    public func holdLease(_ app: String, _ machine: String, for duration: Duration, owner: String = "ada@tokens.fly.io") {
        change(app, machine) { app, index, now in
            app.lease(index, owner: owner, description: "somebody else's", seconds: 0, at: now)
            app.machines[index].lease?.expiresAt = now + duration.milliseconds
        }
    }

    /// `fly secrets set --stage`; nil removes it. Machines have it after their next update or start.
    public func stageSecret(_ app: String, _ name: String, _ value: String?) {
        change(app) { app, now in app.set([(name, value)], at: now, byHuman: true) }
    }

    /// A machine that is not a part of what the app runs: of a release command, a console, a test.
    ///
    /// - Returns: its id; nil for an unknown app, or one without a release.
    @discardableResult
    public func addHelper(_ app: String, _ helper: Helper) -> String? {
        let result: String?? = change(app) { app, now in
            guard let release = app.releases.last, let reference = FlyImageReference(release.image) else { return nil }
            let group =
                switch helper {
                case .releaseCommand: "fly_app_release_command"
                case .console: "fly_app_console"
                case .test: "fly_app_test_machine_command"
                }
            let metadata: JSON = [
                "fly_platform_version": "v2", "fly_process_group": .string(group), "fly_release_id": .string(release.id),
                "fly_release_version": .string(String(release.version)),
            ]
            let config: JSON = [
                "image": .string(release.image), "env": ["RELEASE_COMMAND": "1"], "metadata": metadata, "auto_destroy": true,
                "guest": ["cpu_kind": "shared", "cpus": 1, "memory_mb": 256],
            ]
            let digest = app.image(reference)?.digest ?? FlyIdentifiers.digest(release.image)
            let image = FlyRunningImage(reference: reference, digest: digest, fate: .runs)
            let index = app.create(config, image, name: nil, region: nil, launches: true, leastSecrets: 0, at: now, byHuman: true)
            return app.machines[index].id
        }
        return result ?? nil
    }

    /// Somebody destroys a machine. It is still listed for a while, as `destroyed`.
    public func destroy(_ app: String, _ machine: String) {
        change(app, machine) { app, index, now in
            app.machines[index].steps = []
            app.machines[index].state = "destroyed"
            app.machines[index].startedAt = nil
            app.machines[index].lease = nil
            app.machines[index].destroyedAt = now
            app.note("delete", now, machine: index, byHuman: true)
        }
    }
}
