import Model
import Sources

/// How one part of a source stands: what was read of it last, and what of it is wanted.
struct OriginStanding {
    private enum Reading {
        case unreadable(String)
        case read(Snapshot)
    }

    private var last: Reading?
    /// What is wrong with the newest revision, as it was told.
    private var mistakes: [String] = []
    /// The systems of the last revision that loads.
    private(set) var systems: Set<SystemID> = []
    /// False while the newest revision does not load: then its systems are only looked at.
    private(set) var applies = true
    /// True while nothing is wrong with it but that somebody else has what it claims.
    var isContested = false

    /// Notes that it cannot be read; true if that was not so for the same reason before.
    @discardableResult
    mutating func fail(_ error: SourceError) -> Bool {
        defer { last = .unreadable(error.message) }
        applies = false
        mistakes = []
        guard case .unreadable(let before) = last else { return true }
        return before != error.message
    }

    /// Notes what was read; true if it is another than the last one.
    mutating func isNews(_ now: Snapshot) -> Bool {
        defer { last = .read(now) }
        guard case .read(let before) = last else { return true }
        let isNews =
            before.revision != now.revision || before.files != now.files || before.beside != now.beside
            || before.leaving != now.leaving || before.adopts != now.adopts
            || before.repositories.keys != now.repositories.keys || !now.tells(Set(now.repositories.keys), as: before)
        if isNews { mistakes = [] }
        return isNews
    }

    /// Notes that it does not load; true if that was not so for the same reasons before.
    mutating func reject(_ now: [String]) -> Bool {
        defer { mistakes = now }
        applies = false
        return mistakes != now
    }

    /// Notes what of it loaded before this process began.
    mutating func recall(_ systems: Set<SystemID>) {
        self.systems = systems
        applies = false
    }

    /// Notes that it loads.
    mutating func accept(_ systems: Set<SystemID>) {
        self.systems = systems
        applies = true
        mistakes = []
    }
}
