import Model
import ProviderKit

extension FlyMachine {
    /// Where a machine stands.
    enum Health: Sendable, Hashable {
        case settled
        /// On its way; in words that follow the machine's id: `is starting`.
        case progressing(String)
        /// It will not get there by itself.
        case failed(Problem)
    }

    /// A started machine is watched for so long before it is believed, because one that crashes looks started in between.
    static let watch = Duration.seconds(10)
    /// Checks that do not pass for so long after a start will not; what the vendor's own program waits.
    static let patience = Duration.seconds(300)
    /// A pull of a large image may take ten minutes.
    static let longestUpdate = Duration.seconds(900)
    static let longestTransition = Duration.seconds(300)

    /// - Parameters:
    ///   - now: by the provider's clock; without it nothing is late and nothing is watched.
    ///   - resource: for messages: `fly/worker`.
    func health(at now: Timestamp?, _ resource: String) -> Health {
        func age(_ time: Timestamp?) -> Duration? {
            guard let now, let time else { return nil }
            return max(.zero, now - time)
        }
        func failed(_ reason: String, _ what: String, next: String) -> Health {
            .failed(Problem(reason, "\(resource): machine \(id) \(what)", next: next))
        }
        guard isReachable else { return .progressing("is on a host that does not answer") }
        let crashes = events.filter(\.isCrash)
        let lastCrash = crashes.compactMap(\.time).max()
        let logs = "read its logs with 'fly logs --machine \(id)', or pin another release"
        switch state {
        case "started":
            if let crashed = age(lastCrash), crashed < .seconds(60), crashes.count > 1 || crashes.contains(where: { $0.restarts > 1 }) {
                return failed("CrashLoop", "crashes again and again", next: logs)
            }
            if let crashed = age(lastCrash), crashed < Self.watch { return .progressing("has crashed once") }
            let running = age(events.filter { $0.type == "start" }.compactMap(\.time).max() ?? updated)
            if hasChecks {
                // A list without any says that none has been run.
                guard !checks.isEmpty else { return .progressing("has not been checked yet") }
                let bad = checks.filter { $0.status != "passing" }
                if let first = bad.first {
                    let which = bad.map(\.name).sorted().joined(separator: ", ")
                    guard first.status == "critical" || bad.contains(where: { $0.status == "critical" }), let running,
                        running > Self.patience
                    else { return .progressing("does not pass \(which) yet") }
                    return failed("ChecksFailing", "fails its checks: \(which)", next: logs)
                }
            }
            if let running, running < Self.watch { return .progressing("has just been started and is watched") }
            return .settled
        case "stopped", "suspended":
            // The events of its last version, the newest of all that tell why it stopped.
            if let last = lastCrash, !events.contains(where: { $0.type != "exit" && $0.time.map { $0 > last } ?? false }) {
                return failed("Crashed", "crashed until it was not restarted any more", next: logs)
            }
            return .settled
        case "created": return .settled
        case "failed", "launch_failed":
            return failed("MachineFailed", "is \(state)", next: logs)
        case "replacing", "updating", "replaced":
            if let waited = age(updated), waited > Self.longestUpdate {
                return failed(
                    "MachineStuck", "has been \(state) for \(waited.words)",
                    next: "look at https://status.flyio.net; a machine that stays so has to be destroyed and cloned")
            }
            return .progressing("is \(state)")
        default:
            if let waited = age(updated), waited > Self.longestTransition {
                return failed(
                    "MachineStuck", "has been \(state) for \(waited.words)", next: "look at 'fly machine status \(id)'")
            }
            return .progressing("is \(state)")
        }
    }
}

extension Duration {
    /// `12 s`, `3 min`, `5 h`, `2 d`.
    var words: String {
        let seconds = components.seconds
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
