import JSONValues

extension FlyState {
    func listApps(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let shown = apps.filter { $0.access == .own && $0.organization == call.query["org_slug"] }
        return FlyAnswer(["apps": .array(shown.map(\.json)), "total_apps": .integer(shown.count)])
    }

    func showApp(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer { FlyAnswer(apps[try app(call)].json) }

    func showToken(_ call: FlyCall) -> FlyAnswer {
        let organizations = Set(apps.filter { $0.access == .own }.map(\.organization)).sorted()
        let tokens = (organizations.isEmpty ? ["personal"] : organizations).map { organization -> JSON in
            [
                "token_id": "sandbox", "org_slug": .string(organization), "organization": .string(organization), "user": "ada@example.com",
                "apps": .array(apps.filter { $0.organization == organization && $0.access == .own }.map { .string($0.name) }),
            ]
        }
        return FlyAnswer(["tokens": .array(tokens)])
    }

    /// Pages by `cursor`, the number of the first machine.
    func listOrganization(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let limit = try call.number("limit") ?? 1000
        guard (1...1000).contains(limit) else { throw FlyFailure(400, "invalid_argument: limit must be between 1 and 1000") }
        let start = max(0, try call.number("cursor") ?? 0)
        let states = call.words("state")
        var found: [(row: JSON, machine: FlyMachine)] = []
        for app in apps where app.access == .own && app.organization == call["org"] {
            for machine in app.machines {
                if let region = call.query["region"], region != machine.region { continue }
                if !states.isEmpty, !states.contains(machine.state) { continue }
                if machine.state == "destroyed", !call.flag("include_deleted"), states.isEmpty { continue }
                found.append((machine.row(app), machine))
            }
        }
        let page = found.dropFirst(min(start, found.count)).prefix(limit)
        let isLast = start >= found.count || found.count - start <= limit
        return FlyAnswer(
            .members([
                ("machines", .array(page.map(\.row))), ("next_cursor", isLast ? JSON?.none : .string(String(start + limit))),
                ("last_machine_id", page.last.map { .string($0.machine.id) }),
                ("last_updated_at", page.last.map { .string(SimulatedTime.rfc3339($0.machine.updatedAt)) }), ("error_regions", []),
            ]))
    }
}

extension FlyApp {
    var json: JSON {
        [
            "id": .string("app_\(name)"), "internal_numeric_id": .integer(number), "name": .string(name), "network": "default",
            "machine_count": .integer(machines.filter { !$0.isDestroyed }.count), "volume_count": 0,
            "status": machines.contains { $0.state == "started" } ? "deployed" : "suspended",
            "organization": ["name": .string(organization), "slug": .string(organization), "internal_numeric_id": 1],
        ]
    }
}
