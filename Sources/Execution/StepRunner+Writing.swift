import Model
import ProviderKit
import State

extension StepRunner {
    /// Makes the write of a release step and waits until the release is served and healthy. Returns nil then, and otherwise how it ended.
    func write(_ change: ReleaseChange, at site: Site, _ step: Step, until end: Duration) async throws(StateError) -> Outcome? {
        var isRetry = false
        while true {
            let taken = takeConfirmation(of: site.id)
            let before = if let taken { taken } else { await observe(site, change.resolution, intent: nil, until: end) }
            if Task.isCancelled { return .skipped("the pass was interrupted") }
            if let problem = disagreement(of: before, with: change, on: site.id) { return .failed(problem) }
            if let open = await session.state.openIntents[site.id] {
                return .undecided(
                    Problem("WriteUndecided", "\(site.id): what became of the write \(open.id) is not known yet; nothing was sent"))
            }
            let intent = Intent(
                id: newID(), resource: site.id, route: change.route, resolution: change.resolution, providerTime: before.providerTime,
                written: now())
            // Not durable, not sent.
            try await append(.intent(intent))
            let answer = await send(change, intent, to: site, until: end)
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
                    return try await arrive(wait, at: site, step)
                } catch {
                    return .undecided(unrecorded(site, error))
                }
            }
        }
    }

    private func send(_ change: ReleaseChange, _ intent: Intent, to site: Site, until end: Duration) async -> ApplyResult {
        let request = ApplyRequest(component: site.component.name, intent: intent, revision: plan.revision)
        let lost = ApplyResult.unknown(Problem("WriteTimedOut", "\(site.id): the write was not answered in time"))
        return await time.bounded(by: max(end - time.elapsed, .zero), otherwise: lost) {
            await site.provider.apply(change, to: site.component, request)
        }
    }

    private func receipt(of answer: ApplyResult, to intent: Intent) -> JournalEntry.Receipt {
        switch answer {
        case .accepted(let facts): .init(intent, .accepted, facts: facts)
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
