/// The requests of one account: how many are under way, who waits, and until when which reads pause. Times are since some start.
struct AccountLane {
    let limit: Int
    private var running = 0
    private var waiting: [String: [AccountTicket]] = [:]
    /// The parties that wait, in the order in which they began to.
    private var turns: [String] = []
    /// How many turns there had been when a party had its last one.
    private var last: [String: Int] = [:]
    private var count = 0
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
            note(party)
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

    /// Of the party whose last turn is longest ago.
    private mutating func next() -> AccountTicket? {
        guard let party = turns.min(by: { last[$0, default: 0] < last[$1, default: 0] }), var tickets = waiting[party] else { return nil }
        let ticket = tickets.removeFirst()
        waiting[party] = tickets.isEmpty ? nil : tickets
        if tickets.isEmpty { turns.removeAll { $0 == party } }
        if !ticket.isSettled { note(party) }
        return ticket
    }

    private mutating func note(_ party: String) {
        count += 1
        last[party] = count
    }

    func isUnused(at now: Duration) -> Bool { running == 0 && turns.isEmpty && pauses.values.allSatisfy { $0 <= now } }
}
