import Synchronization

/// What happens in a world that nobody asked for over the API. Apps go by their name, machines by their id; unknown ones are left alone.
extension FlySimulator {
    /// What becomes of an update.
    public enum UpdateOutcome: Sendable {
        case normal
        /// The image cannot be pulled: the machine runs its version before again.
        case pullFails
        /// The program exits every three seconds, ten times; in between the machine is started.
        case crashes
        /// Stays `replacing` for ever.
        case wedged
        /// Started, it is stopped by the proxy after that time.
        case autostops(after: Duration)
        /// Started, its checks fail.
        case unhealthy
        /// Refused with 503: the host is full.
        case noCapacity
    }

    public enum Helper: String, Sendable { case releaseCommand, console, test }

    /// Decides what becomes of the next updates: of one machine, or of every machine that the app has now.
    public func setNextUpdate(_ app: String, machine: String? = nil, _ outcome: UpdateOutcome, times: Int = 1) {
        let outcome: FlyMachine.Outcome =
            switch outcome {
            case .normal: .normal
            case .pullFails: .pullFails
            case .crashes: .crashes
            case .wedged: .wedged
            case .autostops(let delay): .autostops(delay.milliseconds)
            case .unhealthy: .unhealthy
            case .noCapacity: .noCapacity
            }
        change(app) { app, _ in
            for index in app.machines.indices where machine == nil || app.machines[index].id == machine {
                app.machines[index].nextUpdates += Array(repeating: outcome, count: max(0, times))
            }
        }
    }

    /// There is no room for the next new machine.
    public func refuseNextCreation(_ app: String) { change(app) { app, _ in app.refusesCreation = true } }

    /// The host of a machine is gone, or is back.
    public func setHost(_ app: String, _ machine: String, isReachable: Bool) {
        change(app, machine) { app, index, _ in app.machines[index].host = isReachable ? .ok : .unreachable }
    }

    /// The proxy finds that a machine has nothing to do, and stops it.
    public func autostop(_ app: String, _ machine: String) {
        change(app, machine) { app, index, now in
            guard app.machines[index].state == "started" else { return }
            app.leave(index, by: "stopping", to: "stopped", source: "proxy", at: now)
        }
    }

    /// A request comes in, and the proxy starts a stopped machine, unless it is cordoned.
    public func autostart(_ app: String, _ machine: String) {
        change(app, machine) { app, index, now in
            guard app.machines[index].state == "stopped", !app.machines[index].isCordoned else { return }
            app.start(index, source: "proxy", at: now)
        }
    }

    /// A machine exits again and again from now on, as it does when what it depends on is gone.
    public func crash(_ app: String, _ machine: String) {
        change(app, machine) { app, index, now in
            guard app.machines[index].state == "started" else { return }
            app.machines[index].steps = []
            app.planStart(index, now, .crashes)
        }
    }

    /// A machine that is `replacing` for ever goes on after all.
    public func unwedge(_ app: String, _ machine: String) {
        change(app, machine) { app, index, now in
            guard app.machines[index].state == "replacing", app.machines[index].steps.isEmpty else { return }
            app.planStart(index, now + app.timing.start, .normal)
        }
    }

    // MARK: - The registry

    /// The registry deletes an image. Machines that run it go on.
    public func pruneImage(_ app: String, tag: String) {
        change(app) { app, _ in
            for index in app.images.indices where app.images[index].tag == tag { app.images[index].isPruned = true }
        }
    }

    /// A tag names another image from now on. Machines keep what they run.
    public func moveTag(_ app: String, tag: String, digest: String) {
        change(app) { app, _ in
            for index in app.images.indices where app.images[index].tag == tag { app.images[index].tag = nil }
            app.images.append(FlyImage(tag: tag, digest: digest))
        }
    }

    /// An image is pushed, as a build does, and not deployed.
    ///
    /// - Returns: its digest.
    @discardableResult
    public func pushImage(_ app: String, tag: String, digest: String? = nil) -> String {
        let digest = digest ?? FlyIdentifiers.digest("\(app):\(tag)")
        moveTag(app, tag: tag, digest: digest)
        return digest
    }

    func change<Result>(_ name: String, _ body: (inout FlyApp, Int64) -> Result) -> Result? {
        let now = clock.milliseconds
        return state.withLock { state in
            state.settle(until: now)
            guard let index = state.apps.firstIndex(where: { $0.name == name }) else { return nil }
            let result = body(&state.apps[index], now)
            state.settle(until: now)
            return result
        }
    }

    func change(_ name: String, _ body: (inout FlyApp, Int64) -> Void) { let _: Void? = change(name, body) }

    func change(_ name: String, _ machine: String, _ body: (inout FlyApp, Int, Int64) -> Void) {
        change(name) { app, now in
            if let index = app.index(of: machine) { body(&app, index, now) }
        }
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
