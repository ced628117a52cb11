import Model
import Planning
import ProviderKit
import State

/// One flag on its way into the store.
struct FlagErrand: Sendable {
    var order: FlagOrder
    /// As the spec pins it now.
    var flag: FeatureFlag
    var target: any FlagTarget
    var store: AnyFlagStore
    var system: SystemID
    /// What the spec says of it.
    var propagation: Duration?
    /// What was recorded of it before.
    var former: FlagRecord?

    /// - Parameter record: writes an entry durably. A kill is sent even where that fails.
    func run(_ record: (JournalEntry) async throws(StateError) -> Void) async -> FlagReport {
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
            if !order.setting.isOn { try await record(.flag(entry)) }
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
            if case .unknown = result {
            } else if !order.setting.isOn {
                // Nobody switched it off: what is recorded is what was before.
                do throws(StateError) { try await record(former.map { .flag($0) } ?? .forgotten(.init(flag.id))) } catch {
                    report.problem?.message += "; and its record says off though it is not: \(error.message)"
                }
            }
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
            if order.setting.isOn { try await record(.flag(entry)) }
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
