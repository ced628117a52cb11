import Model
import ProviderKit
import State

extension StepRunner {
    /// Makes the write of a release step and waits until the release is served and healthy. Returns nil then, and otherwise how it ended.
    func write(_ change: ReleaseChange, at site: Site, _ step: Step, until end: Duration) async throws(StateError) -> Outcome? {
        var isRetry = false
        var parts = 0
        var done: Set<String> = []
        var doneKeys: Set<String> = []
        while true {
            let taken = takeConfirmation(of: site.id)
            let before = if let taken { taken } else { await observe(site, change.resolution, intent: nil, until: end) }
            if Task.isCancelled {
                return parts == 0
                    ? .skipped("the pass was interrupted") : .undecided(partly(change, parts, site, "the pass was interrupted"))
            }
            let way: Route
            switch route(of: change, in: before, on: site.id) {
            case .success(let route): way = route
            case .failure(let problem):
                return parts == 0 ? .failed(problem) : .undecided(partly(change, parts, site, problem.message))
            }
            if parts > 0 {
                let count = "\(parts) \(parts == 1 ? "write" : "writes") done"
                if case .progressing(let how) = before.settlement { progress(step, "\(count); \(how)") } else { progress(step, count) }
            }
            // It took effect in this pass and is to be done again: more of the same would not change that.
            if let part = way.part, done.contains(part) || way.key.map({ doneKeys.contains($0) }) == true {
                return .undecided(partly(change, parts, site, "a write that took effect does not show"))
            }
            if let open = await session.state.openIntents[site.id] {
                return .undecided(
                    Problem("WriteUndecided", "\(site.id): what became of the write \(open.id) is not known yet; nothing was sent"))
            }
            let intent = Intent(
                id: newID(), resource: site.id, route: way, resolution: change.resolution,
                fingerprint: way.key.flatMap { configurations[site.id]?.values[$0]?.fingerprint }, providerTime: before.providerTime,
                written: now())
            // Not durable, not sent.
            try await append(.intent(intent))
            var sent = change
            sent.route = way
            let answer = await send(sent, intent, to: site, until: end)
            do throws(StateError) {
                try await append(.receipt(receipt(of: answer, to: intent)))
            } catch {
                return .undecided(unrecorded(site, error))
            }
            switch answer {
            case .refused(let problem):
                return .failed(problem)
            case .throttled(let problem):
                guard !isRetry, let pause = problem.retryAfter, pause <= min(pace.longestRetryAfter, end - time.elapsed) else {
                    return .undecided(problem)
                }
                isRetry = true
                progress(step, "\(problem.message); trying again after \(pause)")
                do { try await time.sleep(pause) } catch { return .undecided(problem) }
                continue
            case .accepted, .unknown, .alreadySo:
                if case .unknown(let problem) = answer { progress(step, "\(problem.message); reading back what became of it") }
                let open = await session.state.openIntents[site.id]
                let wait = Wait(
                    resolution: change.resolution, intent: open, settlementBefore: before.settlement, end: end, limit: step.deadline)
                do throws(StateError) {
                    switch try await approach(wait, at: site, step) {
                    case .arrived: return nil
                    case .ended(let outcome): return outcome
                    case .partDone:
                        parts += 1
                        isRetry = false
                        if let part = way.part { done.insert(part) }
                        if let key = way.key { doneKeys.insert(key) }
                        continue
                    }
                } catch {
                    return .undecided(unrecorded(site, error))
                }
            }
        }
    }

    private func partly(_ change: ReleaseChange, _ parts: Int, _ site: Site, _ why: String) -> Problem {
        Problem(
            "PartlyDone", "\(site.id): \(parts) of the writes to \(change.to.label) took effect, then: \(why)",
            next: "the next pass goes on from there")
    }

    private func send(_ change: ReleaseChange, _ intent: Intent, to site: Site, until end: Duration) async -> ApplyResult {
        let request = ApplyRequest(
            component: site.component.name, intent: intent, revision: plan.revision, configuration: configurations[site.id],
            keeper: keeper, stop: await session.state.stop(of: site.component))
        let lost = ApplyResult.unknown(Problem("WriteTimedOut", "\(site.id): the write was not answered in time"))
        return await time.bounded(by: max(end - time.elapsed, .zero), otherwise: lost) {
            await site.provider.apply(change, to: site.component, request)
        }
    }

    private func receipt(of answer: ApplyResult, to intent: Intent) -> JournalEntry.Receipt {
        switch answer {
        case .accepted(let facts, let configuration): .init(intent, .accepted, facts: facts, configuration: configuration)
        case .alreadySo: .init(intent, .alreadySo)
        case .refused(let problem): .init(intent, .refused, problem: problem)
        case .throttled(let problem): .init(intent, .throttled, problem: problem)
        case .unknown(let problem): .init(intent, .unknown, problem: problem)
        }
    }

    private func unrecorded(_ site: Site, _ error: StateError) -> Problem {
        Problem(
            error.problem.reason, "\(site.id): a write was sent, and what became of it cannot be recorded: \(error.message)",
            next: error.next)
    }
}
