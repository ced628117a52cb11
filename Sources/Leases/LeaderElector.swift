public import KubernetesAPI
public import Model
internal import State

/// Sees to it that one of several processes leads: whoever has the Lease.
///
/// Clocks are never compared: a holder counts as dead when its Lease has not changed for the lease's duration since this process saw it change
/// last. A leader that cannot renew ceases before that. What it does until it has noticed must be guarded by something else: the lock of each
/// system is.
public final class LeaderElector: Sendable {
    public struct Standing: Sendable, Hashable {
        public var isLeader = false
        /// Who leads, this process or another; nil when nobody does, or when that is not known.
        public var leader: String?
        /// How often the lead has changed.
        public var transitions = 0
        /// Why the Lease cannot be read or written; nil when it can.
        public var trouble: Problem?
    }

    public let identity: String
    private let object: LeaseObject
    private let timing: LeaseTiming
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Timestamp
    private let jitter: @Sendable () -> Double
    private let current = Latest(Standing())

    /// - Parameters:
    ///   - identity: of this process and of no other, an earlier one in the same pod included.
    ///   - now: for people who read the Lease.
    ///   - jitter: between 0 and 1: how much later than it must be a follower tries.
    public init(
        _ client: KubernetesClient, namespace: String, name: String = "belay-leader", identity: String, timing: LeaseTiming = LeaseTiming(),
        clock: any Clock<Duration>, now: @escaping @Sendable () -> Timestamp,
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        object = LeaseObject(client: client, namespace: namespace, name: name)
        self.identity = identity
        self.timing = timing
        self.clock = clock
        self.now = now
        self.jitter = jitter
    }

    public var standing: Standing { current.value }

    /// Takes part until the task is cancelled, and then gives the Lease back, so that another can lead at once.
    /// - Parameter change: told every change of the standing; must return at once.
    public func run(_ change: @Sendable (Standing) -> Void) async {
        var candidacy = Candidacy(identity: identity, timing: timing)
        let watch = Stopwatch(clock)
        while !Task.isCancelled {
            let problem = await candidacy.attempt(object, watch, now)
            tell(candidacy, problem, change)
            // Followers come at different times, so that not all of them try when the leader is gone.
            let pause = candidacy.isLeader ? timing.retry : timing.retry * (1 + jitter() * 0.2)
            let left = candidacy.isLeader ? candidacy.deadline - watch.elapsed : pause
            do { try await clock.sleep(for: max(.milliseconds(1), min(pause, left))) } catch { break }
        }
        await candidacy.giveBack(object, now)
        tell(candidacy, nil, change)
    }

    private func tell(_ candidacy: Candidacy, _ problem: Problem?, _ change: @Sendable (Standing) -> Void) {
        let standing = Standing(
            isLeader: candidacy.isLeader, leader: candidacy.leader, transitions: candidacy.transitions, trouble: problem)
        if current.isNews(standing) { change(standing) }
    }
}
