import JSONValues

extension FlyState {
    /// Who the token belongs to.
    static let owner = "sandbox@tokens.fly.io"
    private static let notFound = FlyFailure(404, "lease not found")

    /// Only the holder of a lease may change a machine, and nobody may change what no host answers for.
    func checkLease(_ call: FlyCall) throws(FlyFailure) {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        guard machine.host != .unreachable else { throw FlyFailure(503, "unavailable: the machine's host is unreachable") }
        if let lease = machine.lease(at: call.now), lease.nonce != call.nonce { throw Self.held(machine, lease) }
    }

    private static func held(_ machine: FlyMachine, _ lease: FlyMachine.Lease) -> FlyFailure {
        let end = SimulatedTime.rfc3339(lease.expiresAt)
        return FlyFailure(409, "aborted: machine ID \(machine.id) lease currently held by \(lease.owner), expires at \(end)")
    }

    func showLease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        guard let lease = machine.lease(at: call.now) else { throw Self.notFound }
        return FlyAnswer(Self.envelope(lease, machine, withNonce: lease.owner == Self.owner))
    }

    mutating func takeLease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let body = try call.object("createLeaseRequest")
        let machine = apps[app].machines[index]
        guard machine.host != .unreachable else { throw FlyFailure(503, "unavailable: the machine's host is unreachable") }
        guard !machine.isDestroyed else { throw FlyFailure(412, "failed_precondition: machine is \(machine.state)") }
        // A field of the body counts before the parameter of that name.
        let seconds = try call.number("ttl", in: body) ?? 60
        guard (1...86_400).contains(seconds) else { throw FlyFailure(400, "invalid_argument: invalid ttl") }
        if let held = machine.lease(at: call.now) {
            guard held.nonce == call.nonce else { throw Self.held(machine, held) }
            apps[app].machines[index].lease?.expiresAt = call.now + Int64(seconds) * 1000
        } else {
            // A nonce renews a lease, and there is none any more.
            guard call.nonce == nil else { throw Self.notFound }
            apps[app].lease(
                index, owner: Self.owner, description: body["description"]?.string ?? "", seconds: seconds, at: call.now)
        }
        guard let lease = apps[app].machines[index].lease else { throw Self.notFound }
        return FlyAnswer(201, .json(Self.envelope(lease, apps[app].machines[index], withNonce: true)))
    }

    mutating func releaseLease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        guard let lease = machine.lease(at: call.now) else { throw Self.notFound }
        guard lease.nonce == call.nonce else { throw Self.held(machine, lease) }
        apps[app].machines[index].lease = nil
        return FlyAnswer(["status": "success", "data": ["ok": true]])
    }

    private static func envelope(_ lease: FlyMachine.Lease, _ machine: FlyMachine, withNonce: Bool) -> JSON {
        [
            "status": "success",
            "data": .members([
                ("nonce", withNonce ? .string(lease.nonce) : JSON?.none), ("expires_at", .integer(Int(lease.expiresAt / 1000))),
                ("owner", .string(lease.owner)), ("description", .string(lease.description)), ("version", .string(machine.version.id)),
            ]),
        ]
    }
}

extension FlyApp {
    /// - Returns: the nonce.
    @discardableResult
    mutating func lease(_ index: Int, owner: String, description: String, seconds: Int, at now: Int64) -> String {
        let nonce = identifiers.nonce()
        machines[index].lease = FlyMachine.Lease(
            nonce: nonce, owner: owner, description: description, expiresAt: now + Int64(min(max(0, seconds), 86_400)) * 1000)
        return nonce
    }
}
