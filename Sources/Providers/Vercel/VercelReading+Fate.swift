import Model

extension VercelReading {
    /// How long a request whose answer was lost may take to show: twice the client's deadline, and half a minute for Vercel's own lists.
    static let visibility = Duration.seconds(90)
    /// `Date` tells whole seconds, and two of the vendor's machines need not agree to the second.
    private static let skew = Duration.seconds(5)

    /// True if a job is the one that an intent asked for, or one with the same effect that somebody asked for since.
    func isJob(_ job: VercelJob, of write: VercelWrite, _ intent: Intent) -> Bool {
        guard job.to == write.deployment, job.type == write.jobType else { return false }
        guard let sent = intent.providerTime, let requested = job.requested else { return true }
        return requested + Self.skew >= sent
    }

    /// What became of a write whose answer was lost.
    func fate(of intent: Intent) -> IntentFate {
        guard let write = VercelWrite(token: intent.route.token) else {
            return .undecided("the intent \(intent.id) holds a route that this version does not know")
        }
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
            case .failed, .blocked, .deleted, .other: return .tookEffect
            }
        }
        guard let sent = intent.providerTime, let now = time else {
            return .undecided("no trace of it, and Vercel did not tell the time")
        }
        let waited = now - sent
        if waited > Self.visibility { return .void }
        return .undecided("no trace of it after \(waited.words); Vercel may show it for up to \(Self.visibility.words)")
    }
}
