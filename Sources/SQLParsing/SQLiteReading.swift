/// Walks over the tokens of a statement of SQLite.
struct SQLiteReading {
    private let tokens: StatementTokens
    private var index = 0

    init(_ tokens: StatementTokens) { self.tokens = tokens }

    var isAtEnd: Bool { index >= tokens.count }
    /// In upper case.
    var word: String { tokens[index] }
    var nextWord: String { tokens[index + 1] }

    mutating func next(count: Int = 1) { index += count }

    /// Passes over one of the words.
    @discardableResult mutating func take(_ words: String...) -> Bool {
        guard words.contains(word) else { return false }
        index += 1
        return true
    }

    /// Over one token, or over everything in brackets.
    mutating func skip() {
        var depth = 0
        repeat {
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            index += 1
        } while depth > 0 && !isAtEnd
    }

    /// A name without its quotes.
    mutating func bareName() -> String {
        defer { index += 1 }
        return tokens.bareName(at: index)
    }

    /// With its schema where it has one, as ``StatementFacts/Loss/object`` is written.
    mutating func name() -> String {
        let first = TreeNames.quoted(bareName())
        guard take(".") else { return first }
        return first + "." + TreeNames.quoted(bareName())
    }

    /// The words from here on that do not stand in brackets: those of subqueries are not among them.
    var restOutsideBrackets: Set<String> {
        var reader = self
        var result: Set<String> = []
        while !reader.isAtEnd {
            if reader.word != "(" { result.insert(reader.word) }
            reader.skip()
        }
        return result
    }
}

extension StatementTokens {
    func bareName(at index: Int) -> String {
        guard index < count else { return "" }
        let token = tokens[tokens.startIndex + index]
        let text = script.text(token.range)
        guard token.kind == .quotedName || token.kind == .string, let quote = text.first, text.count >= 2 else { return text }
        let inner = text.dropFirst().dropLast()
        if quote == "[" { return String(inner) }
        // A quote within is written twice.
        var result = ""
        var isSecond = false
        for character in inner {
            if character == quote, !isSecond {
                isSecond = true
                continue
            }
            isSecond = false
            result.append(character)
        }
        return result
    }
}

/// SQLite's way to change a table: make a new one, copy every row, drop the old one, give the new one its name.
enum SQLiteRebuild {
    /// The tables that a script rebuilds. A copy that chooses among the rows is none.
    static func tables(of parsed: ParsedScript) -> Set<String> {
        var sources: [String: String] = [:]
        var dropped: Set<String> = []
        var result: Set<String> = []
        for index in parsed.statements.indices {
            let tokens = parsed.tokens(of: index)
            var reader = SQLiteReading(tokens)
            switch tokens[0] {
            case "INSERT":
                while !reader.isAtEnd, !reader.take("INTO") { reader.skip() }
                let target = reader.name()
                let choosing = ["WHERE", "LIMIT", "JOIN", "GROUP", "HAVING", "DISTINCT", "EXCEPT", "INTERSECT", "CONFLICT", "IGNORE"]
                guard reader.restOutsideBrackets.isDisjoint(with: choosing), !["OR"].contains(tokens[1]) else { continue }
                while !reader.isAtEnd, !reader.take("FROM") { reader.skip() }
                if !reader.isAtEnd { sources[target] = reader.name() }
            case "DROP" where tokens[1] == "TABLE":
                reader.next(count: 2)
                if reader.take("IF") { reader.next() }
                dropped.insert(reader.name())
            case "ALTER":
                reader.next(count: 2)
                let table = reader.name()
                guard reader.take("RENAME"), reader.take("TO") else { continue }
                let name = reader.bareName()
                if let source = sources[table], ObjectName(source).last == name, dropped.contains(source) {
                    result.insert(source)
                }
            default: break
            }
        }
        return result
    }
}
