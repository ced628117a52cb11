/// The requests of one account: how many are under way, who waits, and until when which reads pause. Times are since some start.
struct AccountLane {
    let limit: Int
    private var running = 0
    private var waiting: [String: [AccountTicket]] = [:]
    /// The parties that wait, in the order of their turns.
    private var turns: [String] = []
    /// By endpoint.
    private var pauses: [String: Duration] = [:]

    /// The longest pause that is believed; after it the provider is asked again.
    static let longestPause = Duration.seconds(600)

    init(limit: Int) { self.limit = limit }

    enum Answer {
        case enter
        case wait(AccountTicket)
        case pause(Duration)
    }

    mutating func enter(_ party: String, _ endpoint: String, at now: Duration) -> Answer {
        if !endpoint.isEmpty, let end = pauses[endpoint] {
            if end > now { return .pause(end - now) }
            pauses[endpoint] = nil
        }
        if running < limit, turns.isEmpty {
            running += 1
            return .enter
        }
        let ticket = AccountTicket(endpoint)
        if waiting[party] == nil { turns.append(party) }
        waiting[party, default: []].append(ticket)
        return .wait(ticket)
    }

    mutating func leave(_ endpoint: String, after pause: Duration?, at now: Duration) {
        running -= 1
        if let pause, pause > .zero {
            pauses[endpoint] = max(pauses[endpoint] ?? now, now + min(pause, Self.longestPause))
            for ticket in waiting.values.joined() where ticket.endpoint == endpoint { ticket.settle(.again) }
        }
        while running < limit, let ticket = next() {
            // One that gave up in the meantime is passed over.
            if ticket.settle(.admitted) { running += 1 }
        }
    }

    private mutating func next() -> AccountTicket? {
        guard let party = turns.first else { return nil }
        turns.removeFirst()
        guard var tickets = waiting.removeValue(forKey: party), !tickets.isEmpty else { return next() }
        let ticket = tickets.removeFirst()
        if !tickets.isEmpty {
            waiting[party] = tickets
            turns.append(party)
        }
        return ticket
    }

    func isUnused(at now: Duration) -> Bool { running == 0 && turns.isEmpty && pauses.values.allSatisfy { $0 <= now } }
}
