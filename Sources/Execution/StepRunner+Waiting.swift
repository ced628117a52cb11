import Model
import ProviderKit
import State

extension StepRunner {
    /// What is waited for.
    struct Wait: Sendable {
        var resolution: Resolution
        /// The write that should lead there, while its effect has not been seen.
        var intent: Intent?
        /// How the component was before the write; nil: as the first look finds it.
        var settlementBefore: Settlement?
        var end: Duration
        /// For messages.
        var limit: Duration
    }

    /// How a wait ended.
    enum Arrival {
        /// The resolution is declared, served and healthy, its configuration is as desired, and that is recorded.
        case arrived
        /// The write that was waited for took effect, and it was one part of a longer way.
        case partDone
        case ended(Outcome)
    }

    /// Looks until the resolution is declared, served and healthy, and records that. Returns nil then, and otherwise how it ended.
    func arrive(_ wait: Wait, at site: Site, _ step: Step) async throws(StateError) -> Outcome? {
        switch try await approach(wait, at: site, step) {
        case .arrived: nil
        case .partDone: .undecided(ended(wait, site))
        case .ended(let outcome): outcome
        }
    }

    /// As ``arrive(_:at:_:)``, for a write that may be one part of its way.
    func approach(_ wait: Wait, at site: Site, _ step: Step) async throws(StateError) -> Arrival {
        var wait = wait
        var pause = pace.firstPause
        var lastText: String?
        var looksWithoutOperation = 0
        while true {
            let observation = await observe(site, wait.resolution, intent: wait.intent, until: wait.end)
            let differing = observation.configuration?.differences.map(\.key) ?? []
            // What is declared of a component that is stopped is not there.
            let isStopped = observation.stoppage?.start != nil
            let declared = observation.live.declared.flatMap {
                $0.matches(wait.resolution) && differing.isEmpty && !isStopped ? $0 : nil
            }
            let intent = wait.intent
            if let outcome = try await settle(&wait, observation, isThere: declared != nil, site) { return .ended(outcome) }
            let hasEnded = intent != nil && wait.intent == nil
            if let intent, hasEnded, intent.route.part != nil, declared == nil, observation.operation == nil { return .partDone }
            var text: String
            if let declared, step.gate == .departed, wait.intent == nil, !observation.isShared(with: wait.resolution) {
                if case .settled = observation.settlement { try await record(declared, observation, wait.resolution, site) }
                return .arrived
            }
            if let declared {
                switch observation.settlement {
                case .settled:
                    try await record(declared, observation, wait.resolution, site)
                    return .arrived
                case .failed(let problem): return .ended(.failed(problem))
                case .progressing(let how): text = how
                case .unknown(let problem): text = problem.message
                }
            } else {
                // Of a component that was not healthy before, its old failure says nothing: what is waited for heals it. Another one,
                // told as the write has ended elsewhere, is the write's own: sending it again and again would not change that.
                if case .failed(let problem) = observation.settlement,
                    wait.settlementBefore == .settled || hasEnded && wait.settlementBefore != observation.settlement
                {
                    return .ended(.failed(problem))
                }
                wait.settlementBefore = wait.settlementBefore ?? observation.settlement
                text =
                    observation.operation?.summary ?? observation.live.problem?.message
                    ?? (differing.isEmpty || observation.live.declared?.matches(wait.resolution) != true
                        ? "\(wait.resolution.label) is not there yet" : "\(differing.joined(separator: ", ")) has not taken effect yet")
                let isIdle =
                    observation.operation == nil && observation.live.problem == nil && wait.intent == nil
                    && !isRollingOut(wait.resolution, observation)
                looksWithoutOperation = isIdle ? looksWithoutOperation + 1 : 0
                // More than once, because a provider's own views need not agree at once.
                if looksWithoutOperation >= 5 { return .ended(.undecided(ended(wait, site))) }
            }
            if Task.isCancelled { return .ended(.undecided(interrupted(wait, lastText ?? text, site))) }
            if text != lastText { progress(step, text) }
            lastText = text
            let left = wait.end - time.elapsed
            guard left > .zero else { return .ended(late(wait, isThere: declared != nil, observation, text, site)) }
            do { try await time.sleep(min(pause, left)) } catch { return .ended(.undecided(interrupted(wait, text, site))) }
            pause = pace.pause(after: pause)
        }
    }

    /// Closes the intent when the observation says what became of it. A write without a trace ends the step: sending again is the next
    /// pass's, after it has looked at the world as a whole.
    private func settle(
        _ wait: inout Wait, _ observation: Observation, isThere: Bool, _ site: Site
    ) async throws(StateError) -> Outcome? {
        guard let intent = wait.intent else { return nil }
        switch observation.fate {
        case .tookEffect:
            break
        case .failed(let problem) where !isThere:
            try await append(.receipt(.init(intent, .failed, problem: problem)))
            return .failed(problem)
        case .void where !isThere:
            try await append(.receipt(.init(intent, .void)))
            return .undecided(Problem("WriteWithoutEffect", "\(site.id): the write left no trace; the next pass sends it again"))
        case .failed, .void, .inFlight, .undecided, nil:
            guard isThere else { return nil }
        }
        try await append(.receipt(.init(intent, .tookEffect, configuration: intent.written(in: observation))))
        wait.intent = nil
        return nil
    }

    func record(
        _ declared: Release, _ observation: Observation, _ resolution: Resolution, _ site: Site
    ) async throws(StateError) {
        let state = await session.state
        let configuration = observation.configuration?.recorded(
            state.configurations[site.id] ?? [:], running: Set(configurations[site.id]?.values.keys.map(\.self) ?? []))
        let known = state.latestRecord(of: site.id, matching: resolution)
        let isOwed = state.transition?.obligations.contains(.check(site.id)) ?? false
        let lineage = (known?.resolution.lineage ?? []) + declared.identities.sorted { $0.description < $1.description }
        let record = ReleaseRecord(
            resolution: resolution.adding(lineage), quality: isOwed ? .servedUnverified : known?.quality ?? .servedUnverified,
            requires: site.component.requires, schemas: known?.schemas ?? [:],
            configuration: configuration ?? known?.configuration, deployment: declared.id, reached: now())
        try await append(.reached(.init(site.id, record)))
    }

    private func late(_ wait: Wait, isThere: Bool, _ observation: Observation, _ text: String, _ site: Site) -> Outcome {
        if isThere, case .progressing = observation.settlement {
            return .failed(
                Problem(
                    "DeadlineExceeded", "\(site.id): \(wait.resolution.label) is not served and healthy after \(wait.limit): \(text)",
                    next: "look at what holds it up, pin another release, or raise the component's timeout"))
        }
        return .undecided(
            Problem(
                "DeadlineExceeded",
                "\(site.id): after \(wait.limit) it is not known whether \(wait.resolution.label) will be served: \(text)",
                next: "the next pass reads the world back"))
    }

    /// True if what is waited for is declared and on its way: what it was started without may be with it yet.
    private func isRollingOut(_ resolution: Resolution, _ observation: Observation) -> Bool {
        guard case .progressing = observation.settlement else { return false }
        return observation.live.declared?.matches(resolution) ?? false
    }

    private func ended(_ wait: Wait, _ site: Site) -> Problem {
        Problem("OperationEnded", "\(site.id): nothing leads to \(wait.resolution.label) any more", next: "the next pass plans anew")
    }

    private func interrupted(_ wait: Wait, _ text: String, _ site: Site) -> Problem {
        Problem(
            "Interrupted", "\(site.id): the wait for \(wait.resolution.label) was interrupted; last seen: \(text)",
            next: "the next pass goes on with it")
    }
}

extension Observation {
    /// True if code of another release can still run.
    fileprivate func isShared(with resolution: Resolution) -> Bool { live.serving.contains { !$0.matches(resolution) } }
}
