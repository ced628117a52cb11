import HTTPCore

/// The requests to one host: so many at libcurl, the others in order of their arrival.
///
/// libcurl could queue them itself, but then each of them costs an easy handle, and a visit in every turn of the loop.
struct Lane {
    struct Waiting {
        var exchange: Exchange
        var reply: Reply
        var expiry: ContinuousClock.Instant
    }

    /// What several HTTP/2 connections carry at 100 streams each. Over HTTP/1.1 libcurl's own limit of connections applies first.
    static let multiplexed = 512

    let limit: Int
    private(set) var running = 0
    private var waiting: [Waiting] = []
    /// What stands before it in `waiting` has gone.
    private var next = 0

    init(limit: Int) {
        self.limit = limit
    }

    var isUnused: Bool { running == 0 && next == waiting.count }

    /// True if a request may go at once; it counts as running then.
    mutating func enter() -> Bool {
        guard running < limit, next == waiting.count else { return false }
        running += 1
        return true
    }

    mutating func wait(_ request: Waiting) {
        waiting.append(request)
    }

    mutating func leave() {
        running -= 1
    }

    /// The next that may go, counted as running.
    mutating func admit() -> Waiting? {
        guard running < limit, next < waiting.count else { return nil }
        let request = waiting[next]
        next += 1
        if next == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            next = 0
        } else if next > 1024 {
            waiting.removeFirst(next)
            next = 0
        }
        running += 1
        return request
    }

    /// Takes out those that match, in their order.
    mutating func remove(where matches: (Waiting) -> Bool) -> [Waiting] {
        let removed = waiting[next...].filter(matches)
        guard !removed.isEmpty else { return [] }
        waiting = waiting[next...].filter { !matches($0) }
        next = 0
        return removed
    }

    var nearestExpiry: ContinuousClock.Instant? { waiting[next...].lazy.map(\.expiry).min() }
}
