import Model
import ProviderKit
import State

extension StepRunner {
    /// Sets flags, sees that they are set, and waits until applications see it where something comes after it. A lost answer does no harm: the
    /// next pass compares again.
    func set(_ changes: [FlagChange], _ step: Step) async throws(StateError) -> Outcome {
        guard let store = stores.flagStore, let flags = system.flags else { return .failed(.noStore(step)) }
        let former = await session.state.flags
        let records = records(of: changes, flags)
        // What goes off is recorded before it is written: after a crash in between it would look like somebody's hand.
        for record in records where !record.setting.isOn { try await append(.flag(record)) }
        let result = await store.apply(changes, to: flags.store, reason: "revision \(plan.revision)")
        switch result {
        case .accepted, .alreadySo: break
        case .refused(let problem), .throttled(let problem):
            for record in records where !record.setting.isOn {
                try await append(former[record.flag.name].map { .flag($0) } ?? .forgotten(.init(record.flag.id)))
            }
            if case .refused = result { return .failed(problem) }
            return .undecided(problem)
        case .unknown(let problem): return .undecided(problem)
        }
        let observed = await store.observe(changes.map(\.name), in: flags.store)
        for change in changes where observed[change.name]?.setting != change.to {
            return .undecided(observed[change.name]?.problem ?? .notSet(change))
        }
        for record in records where record.setting.isOn { try await append(.flag(record)) }
        let told = "set: " + changes.map { "\($0.name) \($0.to)" }.joined(separator: ", ")
        let propagation = flags.propagation ?? store.promise.propagation
        guard propagation > .zero, isWaitedFor(step) else { return .succeeded(told) }
        progress(step, "set; applications see it within \(propagation.components.seconds) s")
        do { try await time.sleep(propagation) } catch {
            return .undecided(
                Problem(
                    "Interrupted", "\(step.id): the flags are set; the wait until applications see it was interrupted",
                    next: "the next pass goes on from here"))
        }
        return .succeeded(told)
    }

    /// One for each change but those of flags that somebody killed by hand: of these it stays known how they were left.
    private func records(of changes: [FlagChange], _ flags: FeatureFlags) -> [FlagRecord] {
        let settings = Dictionary(changes.map { ($0.name, $0.to) }) { first, _ in first }
        let killed = Set(plan.flags.filter { $0.state == .killedOutOfBand }.map(\.name))
        return flags.flags.compactMap { flag in
            guard let setting = settings[flag.name], !killed.contains(flag.name) else { return nil }
            return FlagRecord(flag: flag, setting: setting)
        }
    }

    /// True if something but the end of the transition comes after the step.
    private func isWaitedFor(_ step: Step) -> Bool {
        plan.steps.contains { $0.after.contains(step.id) && $0.action != .close }
    }
}

extension Problem {
    fileprivate static func notSet(_ change: FlagChange) -> Problem {
        Problem("FlagNotSet", "flag/\(change.name): it was set to \(change.to) and does not show it", next: "run it again")
    }

    fileprivate static func noStore(_ step: Step) -> Problem {
        Problem("Unsupported", "\(step.id): there is nothing that could set flags", next: "report this as a bug of Belay")
    }
}
