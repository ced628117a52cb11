import SQLParsing
import Synchronization

/// What scripts were found to do, so that the next pass need not parse what has not changed. Bounded: it is emptied when it is full.
final class FactsCache: Sendable {
    private struct Key: Hashable {
        var script: String
        var dialect: SQLDialect
    }

    private let known = Mutex<[Key: ScriptFacts]>([:])
    private static let limit = 4096

    func facts(of script: String, _ dialect: SQLDialect) throws(ParseError) -> ScriptFacts {
        let key = Key(script: script, dialect: dialect)
        if let found = known.withLock({ $0[key] }) { return found }
        let facts = try ScriptFacts(script, dialect: dialect)
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[key] = facts
        }
        return facts
    }
}
