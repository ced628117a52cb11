public import Model
import Planning
import ProviderKit
import State

extension Reconciler {
    /// Sets one flag in its store now, under the system's lock, and records who did it and why. Never throws: what went wrong is in the report.
    ///
    /// A flag that is switched off this way stays off until a commit speaks of its kill. One that goes on must be allowed to by its guard.
    public func set(_ order: FlagOrder, of system: System, revision: Revision) async -> FlagReport {
        guard let flags = system.flags, let flag = flags.flags.first(where: { $0.name == order.name }) else {
            return FlagReport(
                system.id, order.name, "", .failure,
                problem: Problem("UnknownFlag", "\(system.id): the spec has no flag \(order.name)", next: "name one of its flags"))
        }
        let place = flags.store.place
        guard case .success(let store) = self.store(ofFlagsIn: system) else {
            guard case .failure(let problem) = self.store(ofFlagsIn: system) else {
                return FlagReport(system.id, flag.name, place, .failure)
            }
            return FlagReport(system.id, flag.name, place, .failure, problem: problem)
        }
        var errand = FlagErrand(
            order: order, flag: flag, target: flags.store, store: store, system: system.id, propagation: flags.propagation)
        if order.breaksGlass { return await errand.run { _ in } }
        do {
            return try await self.store(system).withLock(order.holder, patience: .seconds(5), clock: clock) { session in
                let recorded = await session.state
                if !order.isKill, order.setting.isOn, let problem = await refusal(of: order, system, revision, recorded) {
                    return FlagReport(system.id, flag.name, place, .blocked, problem: problem)
                }
                errand.former = recorded.flags[flag.name]
                return await errand.run { entry throws(StateError) in try await session.append(entry, at: now()) }
            }
        } catch let error as StateError {
            var problem = error.problem
            if order.isKill {
                problem.next =
                    "to kill it all the same, add --break-glass; or switch it off in \(place) by hand: Belay leaves what somebody "
                    + "switched off as it is"
            }
            return FlagReport(system.id, flag.name, place, error.code == .locked ? .blocked : .failure, problem: problem)
        } catch {
            return FlagReport(
                system.id, flag.name, place, .failure,
                problem: Problem("Interrupted", "\(system.id): it was interrupted", next: "run it again"))
        }
    }

    /// Why the flag may not go on now; nil when it may.
    private func refusal(of order: FlagOrder, _ system: System, _ revision: Revision, _ recorded: RecordedState) async -> Problem? {
        guard recorded.isKnown else {
            return Problem(
                "FirstContact", "\(system.id): Belay has no record of this system", next: "run reconcile --once first, with --adopt")
        }
        var wanted = system
        wanted.flags?.flags = (system.flags?.flags ?? []).map { flag in
            guard flag.name == order.name else { return flag }
            return order.pinned ?? FeatureFlag(name: flag.name, setting: order.setting, kill: false, guard: flag.guard)
        }
        do throws(StateError) {
            let survey = try await survey(wanted, revision: revision, recorded: recorded)
            guard let standing = survey.plan.flags.first(where: { $0.name == order.name }) else { return nil }
            if let transition = recorded.transition, survey.plan.steps.contains(where: { $0.action.isWrite && $0.phase < .enable }) {
                return Problem(
                    "TransitionOpen", "flag/\(order.name): the transition to \(transition.revision) is under way, and flags go on last",
                    next: "run reconcile --once, and it goes on when everything else has arrived")
            }
            switch standing.state {
            case .guarded, .blocked, .unknown, .killed:
                return Problem(
                    "FlagHeldOff", "flag/\(order.name): it may not go on: \(standing.reason ?? standing.state.rawValue)",
                    next: "pin what its guard asks for, or change the guard")
            case .inSync, .outOfSync, .killedOutOfBand: return nil
            }
        } catch {
            return error.problem
        }
    }
}
