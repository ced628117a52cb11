import Model

/// Which system is to be looked at next: every one at most once in it, and never while it is being worked on.
///
/// The one that is due longest is next, and a resync counts as due half a minute later than it is: changes go ahead of resyncs, and no
/// flood of changes keeps a resync back for longer. Times are since some start, by whoever calls. Taking costs a look at every entry.
struct WorkQueue {
    typealias Reason = LookReason

    /// One that is to be worked on now.
    struct Next {
        var system: SystemID
        var reason: Reason
        /// Since it was due.
        var waited: Duration
    }

    private struct Entry {
        var due: Duration
        var reason: Reason
        /// Of two that are due at the same time, the one that came first.
        var number: Int

        var rank: (Duration, Int) { (due + (reason == .resync ? WorkQueue.handicap : .zero), number) }
    }

    /// By how much a resync counts as later.
    static let handicap = Duration.seconds(30)

    private var waiting: [SystemID: Entry] = [:]
    /// Those that are worked on, with what was asked for in the meantime.
    private var working: [SystemID: Entry?] = [:]
    private var count = 0

    /// How many are being worked on.
    var workCount: Int { working.count }

    /// Asks for a system to be looked at when `due` has come. What was asked for before is not put off by it.
    mutating func add(_ system: SystemID, _ reason: Reason, at due: Duration) {
        count += 1
        let new = Entry(due: due, reason: reason, number: count)
        if let before = working[system] {
            working[system] = .some(Self.merged(before, new))
        } else {
            waiting[system] = Self.merged(waiting[system], new)
        }
    }

    /// The next one, which from now on is being worked on; nil when none is due.
    mutating func take(at now: Duration) -> SystemID? { takeNext(at: now)?.system }

    /// The same, with why and how late.
    mutating func takeNext(at now: Duration) -> Next? {
        guard let next = waiting.filter({ $0.value.due <= now }).min(by: { $0.value.rank < $1.value.rank }) else { return nil }
        waiting[next.key] = nil
        working[next.key] = .some(nil)
        return Next(system: next.key, reason: next.value.reason, waited: now - next.value.due)
    }

    /// The work is done; what was asked for in the meantime is waiting now.
    mutating func finish(_ system: SystemID) {
        guard let entry = working.removeValue(forKey: system), let entry else { return }
        waiting[system] = Self.merged(waiting[system], entry)
    }

    /// Nothing is asked for any more.
    mutating func forget(_ system: SystemID) {
        waiting[system] = nil
        if working[system] != nil { working[system] = .some(nil) }
    }

    /// When the next one is due; nil when nothing waits.
    var nextDue: Duration? { waiting.values.map(\.due).min() }

    /// How many are due, by the reason.
    func due(at now: Duration) -> [Reason: Int] {
        waiting.values.reduce(into: [:]) { counts, entry in
            if entry.due <= now { counts[entry.reason, default: 0] += 1 }
        }
    }

    /// Of those that are due.
    func longestWait(at now: Duration) -> Duration { max(.zero, now - (nextDue ?? now)) }

    private static func merged(_ before: Entry?, _ new: Entry) -> Entry {
        guard let before else { return new }
        return Entry(due: min(before.due, new.due), reason: max(before.reason, new.reason), number: before.number)
    }
}
