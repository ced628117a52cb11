internal import CPgQuery
internal import SQL

/// What is done with a script as a whole: splitting it, looking for what must not stand in it.
public enum SQLScript {
    /// The statements of a script, in their order, each with its place. PostgreSQL's own parser finds their ends; SQLite's own
    /// `sqlite3_complete` does for SQLite. A script of blanks and comments has none.
    public static func statements(_ script: String, dialect: SQLDialect) throws(ParseError) -> [Statement] {
        switch dialect {
        case .postgres:
            try refuseClientCommands(script)
            return places(try PostgresParser.parse(script).map { ($0.offset, $0.length) }, in: script)
        case .sqlite:
            return places(sqliteStatements(of: script).map { ($0.offset, $0.text.utf8.count) }, in: script)
        }
    }

    /// The script without the `BEGIN` and the `COMMIT` that surround all of it, in which blanks stand instead, so that every line keeps its
    /// number; and whatever else controls transactions in it.
    public static func removingOuterTransaction(
        _ script: String, dialect: SQLDialect
    ) throws(ParseError) -> (script: String, control: [Statement]) {
        let statements = try statements(script, dialect: dialect)
        var controls = statements.filter { TransactionWord($0.text, dialect) != nil }
        guard statements.count >= 2, let first = statements.first, let last = statements.last,
            TransactionWord(first.text, dialect) == .begin,
            TransactionWord(last.text, dialect) == .commit
        else { return (script, controls) }
        var bytes = Array(script.utf8)
        for statement in [first, last] {
            for index in statement.offset..<(statement.offset + statement.text.utf8.count) where bytes[index] != UInt8(ascii: "\n") {
                bytes[index] = UInt8(ascii: " ")
            }
            // The semicolon stands behind blanks and comments at most.
            let rest = statement.offset + statement.text.utf8.count
            if let semicolon = bytes[rest...].firstIndex(of: UInt8(ascii: ";")) { bytes[semicolon] = UInt8(ascii: " ") }
        }
        controls.removeAll { $0 == first || $0 == last }
        return (String(decoding: bytes, as: UTF8.self), controls)
    }

    /// What only the program psql understands.
    private static func refuseClientCommands(_ script: String) throws(ParseError) {
        for (index, line) in script.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let text = line.drop { $0 == " " || $0 == "\t" }
            guard text.first == "\\" else { continue }
            let command = text.prefix { $0 != " " && $0 != "\r" }
            let isDump = command == "\\restrict" || command == "\\unrestrict"
            // Inside of a text or a function's body a line may begin so: then the parser accepts the script.
            if case .success = Result(catching: { try PostgresParser.parse(script) }) { return }
            throw ParseError(
                "\(command) is a command of psql and no SQL; "
                    + (isDump ? "pg_dump writes it: take both \\restrict and \\unrestrict out" : "write the SQL that it stands for"),
                line: index + 1, column: line.count - text.count + 1)
        }
    }

    private static func places(_ spans: [(offset: Int, length: Int)], in script: String) -> [Statement] {
        let bytes = Array(script.utf8)
        var place = ScriptPlace()
        var reached = 0
        return spans.compactMap { offset, length in
            let end = length == 0 ? bytes.count : min(bytes.count, offset + length)
            var start = SQLBlank.end(of: bytes, from: offset, to: end)
            var stop = end
            if stop > start, bytes[stop - 1] == UInt8(ascii: ";") { stop -= 1 }
            stop = SQLBlank.start(of: bytes, from: start, to: stop)
            start = min(start, stop)
            guard start < stop else { return nil }
            for scalar in String(decoding: bytes[reached..<start], as: UTF8.self).unicodeScalars { place.advance(scalar) }
            reached = start
            return Statement(
                text: String(decoding: bytes[start..<stop], as: UTF8.self), offset: start, line: place.line, column: place.column)
        }
    }
}

/// Blanks and comments, which SQL passes over.
enum SQLBlank {
    /// Where the first token begins.
    static func end(of bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var index = start
        while index < end {
            if bytes[index] <= 0x20 {
                index += 1
            } else if bytes[index...].starts(with: [0x2D, 0x2D]) {
                while index < end, bytes[index] != 0x0A { index += 1 }
            } else if bytes[index...].starts(with: [0x2F, 0x2A]) {
                index = commentEnd(bytes, index, end)
            } else {
                break
            }
        }
        return min(index, end)
    }

    /// Where the last token ends: what follows a statement up to its semicolon may only be blanks, unless a comment stands there.
    static func start(of bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var index = end
        while index > start, bytes[index - 1] <= 0x20 { index -= 1 }
        return index
    }

    /// PostgreSQL nests comments.
    private static func commentEnd(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        var depth = 0
        var index = start
        while index < end {
            if bytes[index...].starts(with: [0x2F, 0x2A]) {
                depth += 1
                index += 2
            } else if bytes[index...].starts(with: [0x2A, 0x2F]) {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return end
    }
}

/// What begins or ends a transaction.
enum TransactionWord {
    case begin, commit, rollback, savepoint

    init?(_ statement: String, _ dialect: SQLDialect) {
        let words = statement.uppercased().split { !($0.isLetter || $0 == "_") }.prefix(3).map(String.init)
        switch words.first {
        case "BEGIN": self = .begin
        case "START" where words.dropFirst().first == "TRANSACTION": self = .begin
        case "COMMIT", "END": self = .commit
        case "PREPARE" where words.dropFirst().first == "TRANSACTION": self = .commit
        case "ROLLBACK", "ABORT": self = .rollback
        case "SAVEPOINT", "RELEASE": self = .savepoint
        default: return nil
        }
    }
}
