import JSONValues

extension FlyState {
    static let noCapacity = "could not reserve resource for machine: insufficient CPUs available to fulfill request"

    func listMachines(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = apps[try app(call)]
        let states = call.words("state")
        let metadata = call.query.query.filter { $0.name.hasPrefix("metadata.") }.map { (String($0.name.dropFirst(9)), $0.value) }
        let shown = app.machines.filter { machine in
            if let region = call.query["region"], region != machine.region { return false }
            if !states.isEmpty, !states.contains(machine.state) { return false }
            return metadata.allSatisfy { machine.config["metadata"]?[$0.0]?.string == $0.1 }
        }
        return FlyAnswer(
            .array(
                shown.map {
                    $0.json(app, at: call.now, withLease: call.flag("include_leases"), isShort: call.flag("summary"))
                }))
    }

    func showMachine(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, machine) = try place(call)
        return FlyAnswer(apps[app].machines[machine].json(apps[app], at: call.now, withLease: call.flag("include_leases")))
    }

    mutating func createMachine(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = try app(call)
        let body = try call.object("createMachineRequest")
        let config = try config(of: body)
        if let name = body["name"]?.string, let same = apps[app].machines.first(where: { $0.name == name && !$0.isDestroyed }) {
            throw FlyFailure(
                409, "already_exists: unique machine name violation, machine ID \(same.id) already exists with name \"\(name)\"")
        }
        let least = try leastSecrets(body, call, apps[app])
        let image = try resolve(config)
        if apps[app].refusesCreation {
            apps[app].refusesCreation = false
            throw FlyFailure(503, Self.noCapacity, code: "insufficient_capacity")
        }
        let ttl = try call.number("lease_ttl", in: body) ?? 0
        let launches = body["skip_launch"]?.bool != true
        let index = apps[app].create(
            config, image, name: body["name"]?.string, region: body["region"]?.string, launches: launches, leastSecrets: least, at: call.now
        )
        apps[app].machines[index].isCordoned = body["skip_service_registration"]?.bool == true
        var nonce: String?
        if ttl > 0 { nonce = apps[app].lease(index, owner: FlyState.owner, description: "", seconds: ttl, at: call.now) }
        var answer = apps[app].machines[index].json(apps[app], at: call.now)
        if let nonce { answer["nonce"] = .string(nonce) }
        return FlyAnswer(answer)
    }

    mutating func updateMachine(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        let body = try call.object("updateMachineRequest")
        let config = try config(of: body)
        guard !machine.isDestroyed else { throw FlyFailure(412, "failed_precondition: machine is \(machine.state), refusing to update") }
        for (field, value) in [("region", machine.region), ("name", machine.name)] {
            guard let asked = body[field]?.string, asked != value else { continue }
            throw FlyFailure(400, "invalid_argument: \(field) of a machine cannot be changed")
        }
        if machine.state == "replacing" {
            // The same update under the same lease is the one that is under way.
            if let nonce = call.nonce, let last = machine.lastUpdate, last.nonce == nonce, last.body == body {
                return FlyAnswer(machine.json(apps[app], at: call.now))
            }
            throw FlyFailure(409, "aborted: machine is replacing: concurrent update in progress")
        }
        if let asked = body["current_version"]?.string, asked != machine.version.id {
            let code = staleStatus == 409 ? "aborted" : "failed_precondition"
            throw FlyFailure(staleStatus, "\(code): current_version \(asked) is not the latest version \(machine.version.id)")
        }
        let least = try leastSecrets(body, call, apps[app])
        if case .noCapacity = machine.nextUpdates.first {
            apps[app].machines[index].nextUpdates.removeFirst()
            throw FlyFailure(503, Self.noCapacity, code: "insufficient_capacity")
        }
        let image = try resolve(config)
        let launches = body["skip_launch"]?.bool != true
        apps[app].update(index, config: config, image: image, launches: launches, leastSecrets: least, at: call.now)
        apps[app].machines[index].lastUpdate = call.nonce.map { ($0, body) }
        return FlyAnswer(apps[app].machines[index].json(apps[app], at: call.now))
    }

    mutating func deleteMachine(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        if machine.isDestroyed { return .ok }
        guard ["stopped", "suspended", "failed", "created"].contains(machine.state) || call.flag("force") || call.flag("kill") else {
            throw FlyFailure(
                412,
                "failed_precondition: unable to destroy machine, not currently stopped, suspended or failed; current state: "
                    + machine.state)
        }
        apps[app].machines[index].state = "destroying"
        apps[app].machines[index].startedAt = nil
        apps[app].machines[index].steps = []
        apps[app].plan(index, call.now + apps[app].timing.stop, .become("destroyed", event: "destroy", source: "flyd"))
        apps[app].note("delete", call.now, machine: index)
        return .ok
    }

    func listVersions(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let versions = apps[app].machines[index].versions.reversed()
        return FlyAnswer(.array(versions.map { ["version": .string($0.id), "user_config": $0.config] }))
    }

    func listEvents(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let limit = min(50, max(1, try call.number("limit") ?? 20))
        return FlyAnswer(.array(apps[app].machines[index].events.reversed().prefix(limit).map(\.json)))
    }

    // MARK: - What a body holds

    private func config(of body: JSON) throws(FlyFailure) -> JSON {
        guard let config = body["config"], config.object != nil else {
            throw FlyFailure(400, "invalid_argument: invalid config: value is required")
        }
        return config
    }

    /// Nil: the machine is to get no secrets.
    private func leastSecrets(_ body: JSON, _ call: FlyCall, _ app: FlyApp) throws(FlyFailure) -> Int? {
        if body["skip_secrets"]?.bool == true { return nil }
        let least = try call.number("min_secrets_version", in: body) ?? 0
        guard least <= app.secrets.version else {
            throw FlyFailure(412, "failed_precondition: secrets version \(least) is not available yet")
        }
        return least
    }
}

extension FlyApp {
    /// A new machine.
    ///
    /// - Returns: its place.
    mutating func create(
        _ config: JSON, _ image: FlyRunningImage, name: String?, region: String?, launches: Bool, leastSecrets least: Int?, at now: Int64,
        byHuman: Bool = false
    ) -> Int {
        let id = identifiers.machine()
        var machine = FlyMachine(
            id: id, name: name ?? "\(self.name)-\(id.prefix(6))", region: region ?? self.region, state: "created",
            versions: [FlyMachine.Version(id: identifiers.ulid(at: now), config: config, image: image)], createdAt: now, updatedAt: now)
        machine.secrets = least.map { secrets.digests(at: now, least: $0, delay: timing.secrets) } ?? [:]
        machines.append(machine)
        let index = machines.count - 1
        event(index, "launch", "created", "user", now)
        let outcome = outcome(of: image)
        if case .pullFails = outcome {
            plan(index, now + timing.replace, .become("failed", event: "launch", source: "flyd"))
        } else if launches {
            plan(index, now + timing.replace, .become("starting", event: "launch", source: "flyd"))
            planStart(index, now + timing.replace + timing.start, outcome)
        } else {
            plan(index, now + timing.replace, .become("stopped", event: "launch", source: "flyd"))
        }
        note("create", now, machine: index, byHuman: byHuman)
        return index
    }
}
