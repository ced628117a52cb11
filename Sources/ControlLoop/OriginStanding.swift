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
    /// The system that it is for, where that is known before it loads.
    var system: SystemID?
    /// What was told of it last, and of which of its systems that was while they were this process's own.
    private(set) var telling: (event: LoopEvent, own: Set<SystemID>)?

    /// The systems that it holds, or would hold if it loaded.
    private var concerned: Set<SystemID> { systems.union(system.map { [$0] } ?? []) }

    /// Notes what is told of it, and of which systems beside those that are known already.
    mutating func note(_ event: LoopEvent, of more: [SystemID] = [], isOwn: (SystemID) -> Bool) {
        telling = (event, concerned.union(more).filter(isOwn))
    }

    /// What was told of it before some of its systems became this process's own, and which those are; nil when none did.
    mutating func takeOver(isOwn: (SystemID) -> Bool) -> (systems: [SystemID], event: LoopEvent)? {
        guard let (event, before) = telling else { return nil }
        let own = concerned.filter(isOwn)
        telling = (event, own)
        let new = own.subtracting(before)
        return new.isEmpty ? nil : (new.sorted(), event)
    }

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
