import JSONValues

extension RenderService {
    /// Where the public reaches it.
    var url: String { kind == .privateService ? "\(name):10000" : "https://\(name).onrender.com" }

    /// `GET /v1/services/{id}`: saved settings, not what runs.
    func json(owner: String) -> JSON {
        .members([
            ("id", .string(id)), ("autoDeploy", .string(settings.autoDeploy == "off" ? "no" : "yes")),
            ("autoDeployTrigger", .string(settings.autoDeploy)), ("branch", settings.branch.map(JSON.string)),
            ("createdAt", .string(createdAt.text)), ("dashboardUrl", .string("https://dashboard.render.com/\(kind.short)/\(id)")),
            ("imagePath", settings.image.map { .string($0.description) }), ("name", .string(name)), ("notifyOnFail", "default"),
            ("ownerId", .string(owner)), ("repo", settings.repository.map(JSON.string)), ("rootDir", .string(settings.rootDirectory)),
            ("slug", .string(name)), ("suspended", isSuspended ? "suspended" : "not_suspended"),
            ("suspenders", .array(suspenders.map(JSON.string))), ("type", .string(kind.rawValue)), ("updatedAt", .string(updatedAt.text)),
            ("serviceDetails", details),
        ])
    }

    private var details: JSON {
        if kind == .staticSite {
            return [
                "buildCommand": .string(settings.buildCommand), "publishPath": "dist", "url": .string(url), "buildPlan": "starter",
                "pullRequestPreviewsEnabled": "no", "previews": ["generation": "off"],
            ]
        }
        var members: [(String, JSON?)] = [
            ("env", .string(settings.runtime)), ("runtime", .string(settings.runtime)), ("envSpecificDetails", environmentDetails),
            ("plan", .string(settings.plan)), ("region", "oregon"), ("buildPlan", "starter"),
        ]
        if kind == .cron {
            members.append(("schedule", .string(settings.schedule)))
            return .members(members)
        }
        members.append(("numInstances", .integer(settings.instances)))
        members.append(("maxShutdownDelaySeconds", .integer(settings.shutdownDelay)))
        members.append(("pullRequestPreviewsEnabled", "no"))
        members.append(("previews", ["generation": "off"]))
        members.append(("disk", settings.disk.map { disk($0) }))
        if settings.isAutoscaled {
            let criterion: JSON = ["enabled": true, "percentage": 70]
            let scaling: JSON = ["enabled": true, "min": 1, "max": 5, "criteria": ["cpu": criterion, "memory": criterion]]
            members.append(("autoscaling", scaling))
        }
        guard kind != .worker else { return .members(members) }
        members.append(("openPorts", [["port": 10000, "protocol": "TCP"]]))
        members.append(("url", .string(url)))
        guard kind == .web else { return .members(members) }
        members.append(("healthCheckPath", .string(settings.healthCheckPath)))
        members.append(
            ("maintenanceMode", ["enabled": .bool(settings.isInMaintenance), "uri": .string(settings.maintenancePage)]))
        return .members(members)
    }

    private func disk(_ name: String) -> JSON {
        ["id": .string("dsk-\(RenderText.letters("disk \(id)", 20))"), "name": .string(name), "sizeGB": 10, "mountPath": "/var/data"]
    }

    private var environmentDetails: JSON {
        let isContainer = settings.runtime == "image" || settings.runtime == "docker"
        if isContainer {
            return [
                "dockerCommand": .string(settings.startCommand), "dockerContext": isImageBacked ? "" : ".",
                "dockerfilePath": isImageBacked ? "" : "./Dockerfile", "preDeployCommand": .string(settings.preDeployCommand),
            ]
        }
        return [
            "buildCommand": .string(settings.buildCommand), "startCommand": .string(settings.startCommand),
            "preDeployCommand": .string(settings.preDeployCommand),
        ]
    }

    func json(_ deploy: RenderDeploy) -> JSON {
        var commit: JSON = .null
        if let known = deploy.snapshot.commit, !showsNoCommit {
            commit = [
                "id": .string(known.id), "message": .string(known.message), "createdAt": .string(known.createdAt.text),
            ]
        }
        let image: JSON? = deploy.snapshot.image.map { image in
            .members([("ref", .string(image.description)), ("sha", deploy.snapshot.sha.map(JSON.string))])
        }
        return .members([
            ("id", .string(deploy.id)), ("commit", commit), ("image", image), ("status", .string(deploy.status)),
            ("trigger", .string(deploy.trigger)), ("createdAt", .string(deploy.createdAt.text)),
            ("startedAt", deploy.startedAt.map { .string($0.text) }), ("finishedAt", .optional(deploy.finishedAt?.text)),
            ("updatedAt", .string(deploy.updatedAt.text)),
        ])
    }

    // MARK: - For tests and people

    /// What matters; a value of a variable is only marked.
    func summary() -> JSON {
        var settings: JSON = .members([
            ("runtime", .string(self.settings.runtime)), ("repo", self.settings.repository.map(JSON.string)),
            ("branch", self.settings.branch.map(JSON.string)), ("imagePath", self.settings.image.map { .string($0.description) }),
            ("startCommand", .string(self.settings.startCommand)), ("healthCheckPath", .string(self.settings.healthCheckPath)),
            ("instances", .integer(self.settings.instances)), ("plan", .string(self.settings.plan)),
            ("maintenance", .bool(self.settings.isInMaintenance)), ("env", Self.markers(variables)),
        ])
        if !secretFiles.isEmpty { settings["secretFiles"] = Self.markers(secretFiles) }
        let releases = deploys.sorted { $0.createdAt < $1.createdAt }.map { deploy -> JSON in
            .members([
                ("id", .string(deploy.id)), ("status", .string(deploy.status)), ("trigger", .string(deploy.trigger)),
                ("commit", deploy.snapshot.commit.map { .string($0.id) }), ("image", deploy.snapshot.image.map { .string($0.description) }),
                ("sha", deploy.snapshot.sha.map(JSON.string)), ("to", deploy.rollbackTarget.map(JSON.string)),
            ])
        }
        let writes = books.map(\.json)
        var runs: JSON?
        if let running, !isSuspended {
            runs = .members([
                ("deploy", .string(running.deploy)), ("commit", running.snapshot.commit.map { .string($0.id) }),
                ("image", running.snapshot.image.map { .string($0.description) }), ("sha", running.snapshot.sha.map(JSON.string)),
                ("startCommand", .string(running.snapshot.startCommand)), ("instances", .integer(running.snapshot.instances)),
                ("groups", .array(running.snapshot.groups.map(JSON.string))), ("env", Self.markers(running.environment)),
            ])
        }
        return .members([
            ("name", .string(name)), ("id", .string(id)), ("type", .string(kind.rawValue)),
            ("autoDeploy", .string(self.settings.autoDeploy)), ("suspenders", .array(suspenders.map(JSON.string))),
            ("settings", settings), ("live", runs ?? .null), ("waiting", waiting.map { .string($0.trigger) }),
            ("deploys", .array(releases)), ("writes", .array(writes)),
        ])
    }

    private static func markers(_ variables: [RenderVariable]) -> JSON {
        .object(
            JSONObject(
                variables.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string(ValueMarker.of($0.value))) }))
    }
}

extension RenderService.Entry {
    var json: JSON {
        .members(
            [("at", .milliseconds(at)), ("operation", .string(operation)), ("by", byHuman ? "human" : "api")]
                + facts.map { ($0.key, Optional($0.value)) })
    }
}
