import JSONValues

extension FlyApp {
    /// A new version of a machine. The machine is `replacing` from now on; the rest happens in time.
    ///
    /// - Parameters:
    ///   - launches: false leaves it stopped; a machine that did not run stays stopped in any case.
    ///   - least: the version of the secrets that it asked for; nil: it gets no secrets.
    mutating func update(
        _ index: Int, config: JSON, image: FlyRunningImage, launches: Bool = true, leastSecrets least: Int?, at now: Int64,
        byHuman: Bool = false
    ) {
        guard machines.indices.contains(index) else { return }
        let wasRunning = ["started", "starting", "restarting"].contains(machines[index].state)
        let before = (place: machines[index].current, state: wasRunning ? "started" : machines[index].state)
        let id = identifiers.ulid(at: now)
        machines[index].versions.append(FlyMachine.Version(id: id, config: config, image: image))
        machines[index].current = machines[index].versions.count - 1
        machines[index].state = "replacing"
        machines[index].startedAt = nil
        machines[index].updatedAt = now
        machines[index].isUnhealthy = false
        machines[index].secrets = least.map { secrets.digests(at: now, least: $0, delay: timing.secrets) } ?? [:]
        if updateUncordons { machines[index].isCordoned = false }
        machines[index].steps = []
        machines[index].events = []
        event(index, "update", "replacing", "user", now)

        let outcome = outcome(index, image)
        let settledAt = now + timing.replace
        switch outcome {
        case .wedged: break
        case .pullFails: plan(index, settledAt, .revert(before.place, before.state))
        case .normal, .crashes, .autostops, .unhealthy, .noCapacity:
            guard wasRunning, launches else {
                plan(index, settledAt, .become("stopped", event: "launch", source: "flyd"))
                break
            }
            plan(index, settledAt, .become("starting", event: "launch", source: "flyd"))
            planStart(index, settledAt + timing.start, outcome)
        }
        note("update", now, machine: index, byHuman: byHuman)
    }

    mutating func plan(_ index: Int, _ at: Int64, _ step: FlyMachine.Step) {
        machines[index].steps.append(FlyMachine.Planned(at: at, step: step))
    }

    /// From then on it is started, and what has to follow follows.
    mutating func planStart(_ index: Int, _ at: Int64, _ outcome: FlyMachine.Outcome) {
        plan(index, at, .become("started", event: "start", source: "flyd"))
        switch outcome {
        case .crashes:
            for count in 1...FlyMachine.restarts { plan(index, at + Int64(count) * 3000, .exit(count)) }
        case .autostops(let delay): plan(index, at + delay, .become("stopped", event: "stop", source: "proxy"))
        case .unhealthy: machines[index].isUnhealthy = true
        case .normal, .pullFails, .wedged, .noCapacity: break
        }
    }

    /// What becomes of the next update of a machine to an image.
    private mutating func outcome(_ index: Int, _ image: FlyRunningImage) -> FlyMachine.Outcome {
        if !machines[index].nextUpdates.isEmpty { return machines[index].nextUpdates.removeFirst() }
        return outcome(of: image)
    }

    func outcome(of image: FlyRunningImage) -> FlyMachine.Outcome {
        switch image.fate {
        case .runs: .normal
        case .crashes: .crashes
        case .unhealthy: .unhealthy
        case .unpullable: .pullFails
        }
    }

    mutating func event(_ index: Int, _ type: String, _ status: String, _ source: String, _ at: Int64, _ request: JSON? = nil) {
        let id = identifiers.ulid(at: at)
        machines[index].events.append(FlyMachine.Event(id: id, type: type, status: status, source: source, at: at, request: request))
    }
}
