import Model

extension VercelReading {
    /// How long a request whose answer was lost may take to show: twice the client's deadline, and half a minute for Vercel's own lists.
    static let visibility = Duration.seconds(90)
    /// `Date` tells whole seconds, and two of the vendor's machines need not agree to the second.
    static let skew = Duration.seconds(5)

    /// True if a job is the one that an intent asked for, or one with the same effect that somebody asked for since.
    func isJob(_ job: VercelJob, of write: VercelWrite, _ intent: Intent) -> Bool {
        guard job.to == write.deployment, job.type == write.jobType else { return false }
        guard let sent = intent.providerTime, let requested = job.requested else { return true }
        return requested + Self.skew >= sent
    }

    /// What became of a write whose answer was lost.
    func fate(of intent: Intent, _ resource: String) -> IntentFate {
        guard let write = intent.route.write else {
            return .undecided("the intent \(intent.id) holds a route that this version does not know")
        }
        if write.key != nil { return fate(of: write, intent) }
        if let problem = failure(of: intent, resource) { return .failed(problem) }
        if let deployment = write.deployment {
            if let job = project.job, isJob(job, of: write, intent) { return job.isUnderWay && !isJobStuck ? .inFlight : .tookEffect }
            if production?.id == deployment { return .tookEffect }
            // What is being rolled out is seen; whether it is waited for is the operation's to say, because an undo ends it.
            if rolling?.canary == deployment { return .tookEffect }
            if rolling?.queued == deployment { return .inFlight }
        } else if let made = made.first.map({ deployments[$0.id] ?? $0 }) {
            switch made.stage {
            case .building: return .inFlight
            case .ready: return made.checks == "pending" || isBeingAssigned(made) ? .inFlight : .tookEffect
            case .failed, .blocked, .deleted: return .tookEffect
            case .other(let word): return .undecided("the build \(made.id) is \(word), which is not known")
            }
        }
        guard let sent = intent.providerTime, let now = time else {
            return .undecided("no trace of it, and Vercel did not tell the time")
        }
        let waited = now - sent
        if waited > Self.visibility { return .void }
        return .undecided("no trace of it after \(waited.words); Vercel may show it for up to \(Self.visibility.words)")
    }

    /// What became of the change of a variable. Each may be sent again at once: twice has the effect of once.
    private func fate(of write: VercelWrite, _ intent: Intent) -> IntentFate {
        guard let configuration else { return .undecided("the environment variables could not be read") }
        let isDone: Bool
        switch write {
        case .put(_, let key, _):
            guard let variable = configuration.variables[key], !variable.isShared else {
                isDone = false
                break
            }
            // Without the skew: an edit of somebody's shortly before must not be taken for ours, and a second write does no harm.
            let isWritten = intent.providerTime.flatMap { sent in variable.changed.map { $0 >= sent } } ?? false
            isDone = isWritten || !configuration.differences.contains { $0.key == key }
        case .detach(_, let id, let key, _), .remove(_, let id, let key): isDone = configuration.variables[key]?.id != id
        case .rollback, .promote, .rebuild, .build, .renew: isDone = false
        }
        if isDone { return .tookEffect }
        guard let sent = intent.providerTime, let now = time, now - sent <= Self.skew else { return .void }
        return .undecided("no trace of it yet")
    }
}

extension VercelDeployment {
    /// True if it was there before the intent was sent.
    func isSurelyOlder(than intent: Intent) -> Bool {
        guard let sent = intent.providerTime, let created else { return false }
        return created + VercelReading.skew < sent
    }
}
