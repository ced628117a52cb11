extension VercelProject {
    private enum Event {
        case built(String)
        case jobBegins
        case domainMoves(Int)
        case jobEnds
        case stageEnds
    }

    /// Lets everything happen that was due by then, in its order.
    mutating func settle(until now: Int64) {
        while let (at, event) = nextEvent(), at <= now { happen(event, at) }
    }

    private func nextEvent() -> (at: Int64, event: Event)? {
        var events: [(at: Int64, event: Event)] = []
        for deployment in deployments where deployment.isProduction && !deployment.isDecided && deployment.build == .ready {
            events.append((deployment.builtAt + timing.assign, .built(deployment.id)))
        }
        if let job, let next = nextStep(of: job) { events.append(next) }
        if let at = rolling?.nextAt { events.append((at, .stageEnds)) }
        return events.min { $0.at < $1.at }
    }

    private func nextStep(of job: VercelJob) -> (at: Int64, event: Event)? {
        let begin = job.requestedAt + timing.pending
        switch job.status {
        case "pending": return job.outcome == .neverBegins ? nil : (begin, .jobBegins)
        case "in-progress":
            let serving = servingDomains
            // One by one: until the last has moved, visitors of two domains see two releases.
            guard let place = serving.indices.first(where: { job.moved[serving[$0]] == nil }) else {
                return job.outcome == .neverEnds ? nil : (begin + timing.job, .jobEnds)
            }
            if job.outcome == .neverEnds, place >= serving.count / 2 { return nil }
            return (begin + timing.job * Int64(place + 1) / Int64(serving.count + 1), .domainMoves(serving[place]))
        default: return nil
        }
    }

    private mutating func happen(_ event: Event, _ at: Int64) {
        switch event {
        case .built(let id): follow(id, at)
        case .jobBegins:
            guard let outcome = job?.outcome else { return }
            job?.status = outcome == .skipped ? "skipped" : "in-progress"
            if outcome != .skipped { setAutoAssign(job?.kind == .promote, by: "system") }
        case .domainMoves(let index):
            guard let job else { return }
            var moves = true
            if case .failed(let names) = job.outcome { moves = !names.contains(domains[index].name) }
            self.job?.moved[index] = moves
            if moves { domains[index].deployment = job.to }
        case .jobEnds:
            guard let job else { return }
            if case .failed = job.outcome {
                self.job?.status = "failed"
                return
            }
            self.job?.status = "succeeded"
            point(to: job.to, at)
        case .stageEnds: endStage(at)
        }
    }

    /// A finished production build: its domains follow, unless something holds them.
    private mutating func follow(_ id: String, _ at: Int64) {
        update(id) { $0.isDecided = true }
        guard let deployment = deployment(id), deployment.isReady(at: at), deployment.assignment == .normal, !deployment.isStagedOnly,
            autoAssign, !isPaused, production.flatMap(self.deployment).map({ $0.createdAt <= deployment.createdAt }) ?? true
        else { return }
        if release(id, at) { return }
        for index in servingDomains { domains[index].deployment = id }
        point(to: id, at)
    }

    mutating func point(to id: String, _ at: Int64) {
        if let production, production != id { history.append(production) }
        production = id
        update(id) {
            $0.isPromoted = true
            $0.isDecided = true
            $0.assignedAt = at
        }
    }

    // MARK: - Rolling releases

    /// Begins a gradual rollout, or queues behind the active one; false when none is configured.
    mutating func release(_ id: String, _ at: Int64) -> Bool {
        if rolling?.state == "ACTIVE" {
            rolling?.queued = id
            return true
        }
        guard let stages, !stages.isEmpty, production != nil else { return false }
        rolling = VercelRollingRelease(
            id: "rr_\(id.dropFirst(4))", current: production, canary: id, stages: stages, startedAt: at, updatedAt: at)
        update(id) { $0.isDecided = true }
        return true
    }

    private mutating func endStage(_ at: Int64) {
        guard let rolling else { return }
        if rolling.active + 1 < rolling.stages.count {
            self.rolling?.active += 1
            self.rolling?.updatedAt = at
        }
        if let active = self.rolling?.active, active + 1 >= rolling.stages.count { completeRelease(at) }
    }

    mutating func completeRelease(_ at: Int64) {
        guard let rolling, rolling.state == "ACTIVE" else { return }
        self.rolling?.state = "COMPLETE"
        self.rolling?.active = rolling.stages.count - 1
        self.rolling?.updatedAt = at
        for index in servingDomains { domains[index].deployment = rolling.canary }
        point(to: rolling.canary, at)
        if let queued = rolling.queued { _ = release(queued, at) }
    }

    mutating func abortRelease(_ at: Int64) {
        guard rolling?.state == "ACTIVE" else { return }
        rolling?.state = "ABORTED"
        rolling?.updatedAt = at
    }
}
