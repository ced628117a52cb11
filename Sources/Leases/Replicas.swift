internal import JSONValues
public import KubernetesAPI
public import Model
internal import State

/// The replicas of one installation, each with a Lease of its own, and who of them works on what.
///
/// Every replica comes to the same answer from the same members; while they see different ones, two may try the same system, and its lock lets
/// one of them. A member counts as dead when its Lease has not changed for its duration since this process saw it change last.
public final class Replicas: Sendable {
    public struct Standing: Sendable, Hashable {
        /// Those that live, sorted; with this one as long as it can show so.
        public var members: [String] = []
        /// False until this replica is known to the others, and when it could not show that it lives.
        public var isMember = false
        /// Why the Leases cannot be read or written; nil when they can.
        public var trouble: Problem?
    }

    public let identity: String
    private let object: LeaseObject
    private let timing: LeaseTiming
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Timestamp
    private let current = Latest(Standing())

    static let label = "belay.dev/replicas"
    private static let group = "belay"

    /// - Parameters:
    ///   - identity: of this replica and of no other that lives; the same after a restart of its container, such as the pod's name.
    ///   - now: for people who read the Leases.
    public init(
        _ client: KubernetesClient, namespace: String, identity: String, timing: LeaseTiming = LeaseTiming(), clock: any Clock<Duration>,
        now: @escaping @Sendable () -> Timestamp
    ) {
        object = LeaseObject(
            client: client, namespace: namespace, name: "belay-replica-\(identity)", labels: [Self.label: Self.group])
        self.identity = identity
        self.timing = timing
        self.clock = clock
        self.now = now
    }

    public var standing: Standing { current.value }

    /// Takes part until the task is cancelled, and then takes its Lease away, so that the others take over at once.
    /// - Parameter change: told every change of the standing; must return at once.
    public func run(_ change: @Sendable (Standing) -> Void) async {
        var roster = Roster(identity: identity, timing: timing)
        let watch = Stopwatch(clock)
        while !Task.isCancelled {
            let problem = await roster.beat(object, watch, now)
            let time = watch.elapsed
            tell(Standing(members: roster.members(at: time), isMember: roster.isMember(at: time), trouble: problem), change)
            do { try await clock.sleep(for: timing.retry) } catch { break }
        }
        await roster.leave(object)
        tell(Standing(members: standing.members.filter { $0 != identity }), change)
    }

    private func tell(_ standing: Standing, _ change: @Sendable (Standing) -> Void) {
        if current.isNews(standing) { change(standing) }
    }
}

extension Replicas.Standing {
    /// True if this system is for the replica of that name: the one of the members that it goes best with.
    ///
    /// When a member comes or goes, only systems that it gets or had change hands.
    public func gives(_ system: SystemID, to identity: String) -> Bool {
        guard isMember else { return false }
        return members.max { (Self.weight($0, system), $0) < (Self.weight($1, system), $1) } == identity
    }

    /// FNV-1a, and the last step of SplitMix64, which spreads what differs in one letter. The same in every process.
    private static func weight(_ member: String, _ system: SystemID) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(member)\u{0}\(system)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }
}
