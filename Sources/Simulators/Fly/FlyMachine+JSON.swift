import JSONValues

extension FlyMachine {
    /// As the API shows it.
    ///
    /// - Parameter isShort: without events and checks, and of the config only what an overview needs.
    func json(_ app: FlyApp, at now: Int64, withLease: Bool = false, isShort: Bool = false) -> JSON {
        let isReachable = host == .ok
        let shown = isShort ? overview : shownConfig
        return .members([
            ("id", .string(id)), ("name", .string(name)), ("state", .string(state)), ("region", .string(region)),
            ("image_ref", version.image.json), ("instance_id", .string(version.id)), ("version", .string(version.id)),
            ("private_ip", .string("fdaa:0:1::\(id.suffix(4))")), ("created_at", .string(SimulatedTime.rfc3339(createdAt))),
            ("updated_at", .string(SimulatedTime.rfc3339(updatedAt))), ("config", isReachable ? shown : .null),
            ("incomplete_config", isReachable ? JSON?.none : overview),
            ("events", isShort ? JSON?.none : .array(events.reversed().map(\.json))),
            ("checks", isShort ? JSON?.none : .array(checks(app.timing, at: now))), ("host_status", .string(host.rawValue)),
            ("cordoned", .bool(isCordoned)), ("lease", withLease ? lease(at: now)?.stripped : nil),
        ])
    }

    /// As the list of an organisation's machines shows it.
    func row(_ app: FlyApp) -> JSON {
        [
            "id": .string(id), "name": .string(name), "app_name": .string(app.name), "state": .string(state), "region": .string(region),
            "version": .string(version.id), "private_ip": .string("fdaa:0:1::\(id.suffix(4))"), "config": overview,
            "created_at": .string(SimulatedTime.rfc3339(createdAt)), "updated_at": .string(SimulatedTime.rfc3339(updatedAt)),
        ]
    }

    private var overview: JSON {
        .members([("image", config["image"]), ("guest", config["guest"]), ("metadata", config["metadata"])])
    }

    /// The config as it was posted, but for `autostop`: two of its words come back as Booleans.
    var shownConfig: JSON {
        guard let services = config["services"]?.array else { return config }
        var shown = config
        shown["services"] = .array(
            services.map { service in
                var service = service
                switch service["autostop"]?.string {
                case "off": service["autostop"] = false
                case "stop": service["autostop"] = true
                default: break
                }
                return service
            })
        return shown
    }

    /// The names of the config's checks: the machine's own, and those of its services.
    var checkNames: [String] {
        var names = config["checks"]?.object?.keys ?? []
        for service in config["services"]?.elements ?? [] {
            for (position, check) in (service["checks"]?.elements ?? []).enumerated() {
                let port = service["internal_port"]?.integer ?? 80
                names.append("servicecheck-0\(position)-\(check["type"]?.string ?? "tcp")-\(port)")
            }
        }
        return names
    }

    func checks(_ timing: FlyApp.Timing, at now: Int64) -> [JSON] {
        let status: String
        let output: String
        switch startedAt {
        case nil: (status, output) = ("warning", "the machine hasn't started")
        case let at? where isUnhealthy: (status, output) = (now >= at + timing.healthy ? "critical" : "warning", "connection refused")
        case let at?: (status, output) = now >= at + timing.healthy ? ("passing", "200 OK") : ("warning", "waiting for status update")
        }
        return checkNames.map { name in
            [
                "name": .string(name), "status": .string(status), "output": .string(output),
                "updated_at": .string(SimulatedTime.rfc3339(now)),
            ]
        }
    }
}

extension FlyMachine.Lease {
    /// Without its nonce, as everybody may see it.
    var stripped: JSON {
        ["owner": .string(owner), "description": .string(description), "expires_at": .integer(Int(expiresAt / 1000))]
    }
}

extension FlyMachine.Event {
    var json: JSON {
        .members([
            ("id", .string(id)), ("type", .string(type)), ("status", .string(status)), ("source", .string(source)),
            ("timestamp", .integer(Int(at))), ("request", request),
        ])
    }
}
