public import Model
public import Planning
public import ProviderKit
public import State

/// How a flag is to be set at once, by hand.
public struct FlagOrder: Sendable {
    public var name: String
    public var setting: FlagSetting
    /// True for an emergency: whatever its guard, its pin and the open transition say.
    public var isKill: Bool
    public var reason: String?
    /// The flag as the spec pins it from now on; nil where the spec stays as it is.
    public var pinned: FeatureFlag?
    /// Sets the store although the state can be neither locked nor written. Then nothing is recorded of it.
    public var breaksGlass: Bool
    public var holder: LockHolder

    public init(
        name: String, setting: FlagSetting, isKill: Bool = false, reason: String? = nil, pinned: FeatureFlag? = nil,
        breaksGlass: Bool = false, holder: LockHolder
    ) {
        self.name = name
        self.setting = setting
        self.isKill = isKill
        self.reason = reason
        self.pinned = pinned
        self.breaksGlass = breaksGlass
        self.holder = holder
    }
}

/// What became of it.
public struct FlagReport: Sendable {
    public var system: SystemID
    public var flag: String
    /// `sql/main/feature_flags`.
    public var store: String
    public var before: FlagSetting?
    /// What the store shows now; nil when that is not known.
    public var after: FlagSetting?
    /// What applications are served, and how long they may still see the old value; nil when the store could not be used.
    public var promise: FlagPromise?
    public var isRecorded = false
    public var verdict: Verdict
    public var problem: Problem?

    init(_ system: SystemID, _ flag: String, _ store: String, _ verdict: Verdict, problem: Problem? = nil) {
        self.system = system
        self.flag = flag
        self.store = store
        self.verdict = verdict
        self.problem = problem
    }
}

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
        let errand = FlagErrand(
            order: order, flag: flag, target: flags.store, store: store, system: system.id, propagation: flags.propagation)
        if order.breaksGlass { return await errand.run { _ in } }
        do {
            return try await self.store(system).withLock(order.holder, patience: .seconds(5), clock: clock) { session in
                let recorded = await session.state
                if !order.isKill, order.setting.isOn, let problem = await refusal(of: order, system, revision, recorded) {
                    return FlagReport(system.id, flag.name, place, .blocked, problem: problem)
                }
                return await errand.run { record throws(StateError) in try await session.append(.flag(record), at: now()) }
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

/// One flag on its way into the store.
private struct FlagErrand: Sendable {
    var order: FlagOrder
    /// As the spec pins it now.
    var flag: FeatureFlag
    var target: any FlagTarget
    var store: AnyFlagStore
    var system: SystemID
    /// What the spec says of it.
    var propagation: Duration?

    /// - Parameter record: writes a record durably. A kill is sent even where that fails.
    func run(_ record: (FlagRecord) async throws(StateError) -> Void) async -> FlagReport {
        var report = FlagReport(system, flag.name, target.place, .failure)
        report.promise = store.promise
        if let propagation { report.promise?.propagation = propagation }
        let observation = await observe()
        report.before = observation.setting
        if let problem = observation.problem {
            report.problem = problem
            return report
        }
        let why = (order.reason.map { "\($0) " } ?? "") + "(\(order.holder.user)@\(order.holder.host))"
        // What goes off is recorded as the spec of now pins it, so that a pass over that spec knows who did it.
        let pinned = order.setting.isOn ? order.pinned ?? flag : flag
        let entry = FlagRecord(flag: pinned, setting: order.setting, reason: why)
        do throws(StateError) {
            if !order.setting.isOn { try await record(entry) }
            report.isRecorded = !order.breaksGlass
        } catch {
            report.problem = error.problem
            guard order.isKill else { return report }
        }
        var result = await apply(observation, why)
        // In an emergency it does not matter what somebody else has just done to it.
        if order.isKill, case .refused(let problem) = result, problem.reason == "FlagChanged" { result = await apply(await observe(), why) }
        switch result {
        case .accepted, .alreadySo: break
        case .refused(let problem), .throttled(let problem), .unknown(let problem):
            report.problem = problem
            report.after = await observe().setting
            return report
        }
        let seen = await observe()
        report.after = seen.setting
        guard seen.setting == order.setting else {
            report.problem =
                seen.problem
                ?? Problem("FlagNotSet", "flag/\(flag.name): it was set to \(order.setting) and does not show it", next: "run it again")
            return report
        }
        do throws(StateError) {
            if order.setting.isOn { try await record(entry) }
        } catch {
            report.isRecorded = false
            report.problem = error.problem
            return report
        }
        if report.problem == nil { report.verdict = .inSync }
        return report
    }

    private func apply(_ observation: FlagObservation, _ why: String) async -> ApplyResult {
        let change = FlagChange(name: flag.name, from: observation.setting, to: order.setting, marker: observation.marker)
        return await store.apply([change], to: target, reason: "\(order.isKill ? "kill" : "set"): \(why)")
    }

    private func observe() async -> FlagObservation {
        await store.observe([flag.name], in: target)[flag.name]
            ?? FlagObservation(problem: Problem("NotObserved", "\(flag.id): it was not observed"))
    }
}
