/// What a script has made so far: to lose it again loses nothing.
struct MadeObjects {
    private struct Name: Hashable {
        var object: String
        var column: String?
    }

    private var names: Set<Name> = []

    /// What may have been there before (`IF NOT EXISTS`) was not made here. A statement after which names mean something else, a renaming or
    /// a new `search_path`, makes everything unknown.
    mutating func read(_ facts: StatementFacts, _ tokens: StatementTokens) {
        if tokens.changesNames {
            names = []
            return
        }
        guard !tokens.hasIfNotExists else { return }
        switch facts.probe {
        case .created(.table, let name), .created(.materializedView, let name), .created(.sequence, let name), .created(.schema, let name),
            .created(.view, let name), .created(.type, let name):
            names.insert(Name(object: name))
        case .columnAdded(let table, let column): names.insert(Name(object: table, column: column))
        default: break
        }
    }

    func contains(_ loss: StatementFacts.Loss) -> Bool {
        // CASCADE may take along what was there before.
        guard loss.kind != .opaque, !loss.cascades else { return false }
        return names.contains(Name(object: loss.object)) || names.contains(Name(object: loss.object, column: loss.column))
    }

    /// To be called behind the statement: what is gone may have hidden something of the same name.
    mutating func forget(_ facts: StatementFacts) {
        switch facts.probe {
        case .dropped(_, let name): names.remove(Name(object: name))
        case .columnDropped(let table, let column): names.remove(Name(object: table, column: column))
        case .ambiguous where facts.phase == .contract: names = []
        default: break
        }
    }
}

extension StatementTokens {
    fileprivate var changesNames: Bool {
        // Nothing that is asked for stands further behind; a few tokens more cost nothing.
        let words = (0..<min(count, 64)).map { self[$0].uppercased() }
        if words.contains(where: { ($0.utf8.count >= 11 && $0.contains("SEARCH_PATH")) || $0 == "SET_CONFIG" || $0 == "ROLE" }) {
            return true
        }
        return words.first == "ALTER" && (words.contains("RENAME") || words.contains("SCHEMA"))
    }

    fileprivate var hasIfNotExists: Bool {
        (0..<count).contains { self[$0] == "IF" && self[$0 + 1] == "NOT" && self[$0 + 2] == "EXISTS" }
    }
}
