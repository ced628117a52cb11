import JSONValues

extension FlyState {
    mutating func start(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        switch machine.state {
        case "stopped", "suspended": break
        case "replacing", "updating": throw FlyFailure(412, "failed_precondition: machine getting replaced, refusing to start")
        case "starting", "restarting": throw FlyFailure(412, "failed_precondition: still attempting to start")
        case "started", "stopping", "suspending": throw FlyFailure(412, "failed_precondition: machine still active, refusing to start")
        default:
            throw FlyFailure(412, "failed_precondition: unable to start machine from current state: '\(machine.state)'")
        }
        apps[app].start(index, source: "user", at: call.now)
        apps[app].note("start", call.now, machine: index)
        return FlyAnswer(["previous_state": .string(machine.state), "migrated": false, "new_host": ""])
    }

    mutating func stop(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        _ = try call.object("stopRequest")
        let state = apps[app].machines[index].state
        switch state {
        case "stopped", "stopping", "created", "failed": return .ok
        case "started", "starting", "restarting", "suspended", "suspending": break
        default: throw FlyFailure(412, "failed_precondition: machine is \(state), refusing to stop")
        }
        apps[app].leave(index, by: "stopping", to: "stopped", source: "user", at: call.now)
        apps[app].note("stop", call.now, machine: index)
        return .ok
    }

    mutating func suspend(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let state = apps[app].machines[index].state
        if state == "suspended" || state == "suspending" { return .ok }
        guard state == "started" else {
            throw FlyFailure(412, "failed_precondition: unable to suspend machine from current state: '\(state)'")
        }
        apps[app].leave(index, by: "suspending", to: "suspended", source: "user", at: call.now)
        apps[app].note("suspend", call.now, machine: index)
        return .ok
    }

    /// The version stays: what changed about the app since is not applied.
    mutating func restart(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        guard machine.state == "started" else {
            throw FlyFailure(412, "failed_precondition: unable to restart machine from current state: '\(machine.state)'")
        }
        apps[app].machines[index].steps = []
        apps[app].machines[index].state = "restarting"
        apps[app].machines[index].startedAt = nil
        apps[app].machines[index].updatedAt = call.now
        apps[app].event(index, "restart", "stopping", "user", call.now)
        let at = call.now + apps[app].timing.stop + apps[app].timing.start
        apps[app].planStart(index, at, apps[app].outcome(of: machine.version.image))
        apps[app].note("restart", call.now, machine: index)
        return .ok
    }

    mutating func cordon(_ call: FlyCall, _ isCordoned: Bool) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        guard apps[app].machines[index].isCordoned != isCordoned else { return .ok }
        apps[app].machines[index].isCordoned = isCordoned
        apps[app].machines[index].updatedAt = call.now
        apps[app].note(isCordoned ? "cordon" : "uncordon", call.now, machine: index)
        return .ok
    }

    mutating func execute(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        _ = try call.object("execRequest")
        guard apps[app].machines[index].state == "started" else { throw FlyFailure(412, "failed_precondition: machine not running") }
        apps[app].note("exec", call.now, machine: index)
        return FlyAnswer(["exit_code": 0, "exit_signal": 0, "stdout": "", "stderr": ""])
    }

    /// Says at once whether a state is reached: a simulator has no timers.
    func wait(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let (app, index) = try place(call)
        let machine = apps[app].machines[index]
        guard (1...60).contains(try call.number("timeout") ?? 60) else {
            throw FlyFailure(
                400,
                "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]")
        }
        let asked = call.words("state")
        let states = asked.isEmpty ? ["started"] : asked
        let known = ["started", "stopped", "suspended", "destroyed", "failed", "settled"]
        if let odd = states.first(where: { !known.contains($0) }) {
            throw FlyFailure(400, "invalid_argument: invalid WaitMachineRequest.State: \(odd)")
        }
        let version = call.query["version"] ?? call.query["instance_id"]
        guard version != nil || !states.contains("stopped") else {
            throw FlyFailure(400, "invalid_argument: instance_id required when waiting for stopped machine")
        }
        guard let state = machine.state(of: version ?? machine.version.id) else {
            throw FlyFailure(404, "not_found: machine has no such version")
        }
        guard states.contains(state) || (states.contains("settled") && machine.isSettled && state != "replaced") else {
            let wanted = states.joined(separator: ", ")
            throw FlyFailure(408, "deadline_exceeded: machine failed to reach desired state, \(wanted), currently \(state)")
        }
        return FlyAnswer(
            .members([
                ("ok", true), ("state", .string(state)), ("version", .string(version ?? machine.version.id)),
                ("event_id", machine.events.last.map { .string($0.id) }),
            ]))
    }
}

extension FlyMachine {
    /// The state of one of its versions; nil when it never had it.
    func state(of version: String) -> String? {
        if version == self.version.id { return state }
        return versions.contains { $0.id == version } ? "replaced" : nil
    }
}

extension FlyApp {
    /// From stopped or suspended; it is given the secrets of the day.
    mutating func start(_ index: Int, source: String, at now: Int64) {
        machines[index].steps = []
        machines[index].state = "starting"
        machines[index].updatedAt = now
        machines[index].secrets = secrets.digests(at: now, least: 0, delay: timing.secrets)
        event(index, "start", "starting", source, now)
        planStart(index, now + timing.start, outcome(of: machines[index].version.image))
    }

    mutating func leave(_ index: Int, by transient: String, to state: String, source: String, at now: Int64) {
        machines[index].steps = []
        machines[index].state = transient
        machines[index].startedAt = nil
        machines[index].updatedAt = now
        let event = state == "suspended" ? "suspend" : "stop"
        self.event(index, event, transient, source, now)
        plan(index, now + timing.stop, .become(state, event: event, source: source))
    }
}
