extension StatementFacts {
    /// The facts of a statement of SQLite, from its words: SQLite has no parser that could be asked without the schema. What is not
    /// recognised counts as additive where it begins with CREATE, and as rows at risk otherwise.
    init(sqlite text: String) {
        let words = SQLiteWords(text)
        self.init(risk: .additive, phase: .expand, summary: TreeReading.oneLine(text))
        let name = words.name(after: Self.introducers)
        switch words.upper(0) {
        case "BEGIN": control = .begin
        case "COMMIT", "END": control = .commit
        case "ROLLBACK": control = words.contains("TO") ? .savepoint : .rollback
        case "SAVEPOINT", "RELEASE": control = .savepoint
        case "CREATE":
            probe = .created(
                words.contains("INDEX") ? .index : words.contains("VIEW") ? .view : words.contains("TRIGGER") ? .trigger : .table, name)
            if words.contains("UNIQUE"), words.contains("INDEX") { (phase, risk) = (.contract, .availability) }
        case "DROP": dropped(words, name)
        case "ALTER": altered(words, name)
        case "DELETE", "UPDATE":
            phase = .backfill
            lose(
                words.contains("WHERE") ? .rows : .table,
                words.name(after: ["FROM", "UPDATE", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE", "OR"]))
        case "INSERT", "REPLACE":
            phase = .backfill
            if words.contains("REPLACE") || words.contains("DO") { lose(.rows, words.name(after: ["INTO"])) }
        case "VACUUM":
            (isNonTransactional, probe, phase) = (true, .repeatable, .backfill)
        case "REINDEX", "ANALYZE", "PRAGMA":
            (probe, phase) = (.repeatable, .backfill)
            if words.upper(0) == "PRAGMA", words.upper(1).lowercased() == "foreign_keys" {
                cautions.append("has no effect inside a transaction: write -- pragma: foreign_keys=off instead")
            }
        case "SELECT", "WITH":
            phase = .backfill
            if words.contains("DELETE") || words.contains("UPDATE") || words.contains("INSERT") {
                lose(.opaque, "")
            } else {
                probe = .repeatable
            }
        default:
            phase = .backfill
            lose(.opaque, "")
        }
        relations = name.isEmpty ? [] : [name]
    }

    private static let introducers = ["TABLE", "INDEX", "VIEW", "TRIGGER", "IF", "NOT", "EXISTS"]

    private mutating func dropped(_ words: SQLiteWords, _ name: String) {
        (phase, risk) = (.contract, .availability)
        switch words.upper(1) {
        case "TABLE":
            probe = .dropped(.table, name)
            lose(.table, name)
        case "VIEW": probe = .dropped(.view, name)
        case "TRIGGER": probe = .dropped(.trigger, name)
        default:
            probe = .dropped(.index, name)
            phase = .expand
        }
    }

    private mutating func altered(_ words: SQLiteWords, _ name: String) {
        if words.contains("DROP") {
            (phase, risk) = (.contract, .availability)
            let column = words.name(after: ["DROP", "COLUMN"])
            probe = .columnDropped(table: name, column: column)
            lose(.column, name, column: column)
        } else if words.contains("RENAME") {
            (phase, risk) = (.contract, .availability)
        } else if words.contains("ADD") {
            probe = .columnAdded(table: name, column: words.name(after: ["ADD", "COLUMN"]))
        }
    }

    private mutating func lose(_ kind: Loss.Kind, _ object: String, column: String? = nil) {
        risk = max(risk, kind == .rows || kind == .opaque ? .rowsAtRisk : .dataLoss)
        losses.append(Loss(kind, object, column: column))
    }
}

/// The words of a SQLite statement, without comments; quoted names and texts are one word each.
struct SQLiteWords {
    enum Word: Equatable {
        case bare(String)
        case name(String)
        case text(String)
        case sign(Character)
    }

    private(set) var words: [Word] = []

    init(_ text: String) {
        var rest = Array(text)[...]
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if rest.starts(with: ["-", "-"]) {
                rest = rest.drop { !$0.isNewline }
            } else if rest.starts(with: ["/", "*"]) {
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: ["*", "/"]) { rest.removeFirst() }
                rest = rest.dropFirst(2)
            } else if let end = ["'": "'", "\"": "\"", "`": "`", "[": "]"][first] as Character? {
                rest.removeFirst()
                var inner = ""
                while let next = rest.first {
                    rest.removeFirst()
                    if next == end {
                        guard end != "]", rest.first == end else { break }
                        rest.removeFirst()
                    }
                    inner.append(next)
                }
                words.append(first == "'" ? .text(inner) : .name(inner))
            } else if first.isLetter || first.isNumber || first == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
                words.append(.bare(String(word)))
                rest = rest.dropFirst(word.count)
            } else {
                words.append(.sign(first))
                rest.removeFirst()
            }
        }
    }

    func upper(_ index: Int) -> String {
        guard words.indices.contains(index), case .bare(let word) = words[index] else { return "" }
        return word.uppercased()
    }

    func contains(_ keyword: String) -> Bool {
        words.contains { word in
            guard case .bare(let text) = word else { return false }
            return text.uppercased() == keyword
        }
    }

    /// The first name behind the first of the keywords and whatever other ones of them follow; with its schema where it has one.
    func name(after keywords: [String]) -> String {
        func isKeyword(_ word: Word) -> Bool {
            guard case .bare(let text) = word else { return false }
            return keywords.contains(text.uppercased())
        }
        guard let start = words.firstIndex(where: isKeyword) else { return "" }
        let rest = words[start...].drop(while: isKeyword)
        var parts: [String] = []
        for word in rest {
            switch word {
            case .bare(let text), .name(let text): parts.append(text)
            case .sign("."): continue
            default: return parts.joined(separator: ".")
            }
            let next = rest.dropFirst(parts.count * 2 - 1).first
            if next != .sign(".") { break }
        }
        return parts.joined(separator: ".")
    }
}
