internal import CPgQuery
internal import JSONValues

/// PostgreSQL's own parser, of version 15: https://github.com/pganalyze/libpg_query
enum PostgresParser {
    /// The parse tree of each statement, with what it says of its place.
    struct Parsed {
        /// One member, whose key is the kind of statement.
        var tree: JSON
        /// UTF-8 bytes of the script.
        var offset: Int
        /// Zero: to the end of the script.
        var length: Int
    }

    static func parse(_ script: String) throws(ParseError) -> [Parsed] {
        guard !script.utf8.contains(0) else { throw ParseError("it holds a zero byte", line: 1, column: 1) }
        let result = pg_query_parse(script)
        defer { pg_query_free_parse_result(result) }
        if let error = result.error { throw self.error(error.pointee, in: script) }
        guard let text = result.parse_tree else { return [] }
        let bytes = [UInt8](UnsafeRawBufferPointer(start: text, count: Self.length(text)))
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: bytes)
        } catch {
            throw ParseError("its expressions are nested too deeply to be looked at", line: 1, column: 1)
        }
        return (json["stmts"]?.elements ?? []).compactMap { entry in
            entry["stmt"].map {
                Parsed(tree: $0, offset: entry["stmt_location"]?.integer ?? 0, length: entry["stmt_len"]?.integer ?? 0)
            }
        }
    }

    private static func length(_ text: UnsafePointer<CChar>) -> Int {
        var end = text
        while end.pointee != 0 { end += 1 }
        return end - text
    }

    /// The position is counted in characters from 1; zero where there is none.
    private static func error(_ error: PgQueryError, in script: String) -> ParseError {
        let message = error.message.map { String(cString: $0) } ?? "it cannot be parsed"
        let place = ScriptPlace(character: max(0, Int(error.cursorpos) - 1), in: script)
        return ParseError(message, line: place.line, column: place.column)
    }
}

/// A line and a column of a script, both counted from 1.
struct ScriptPlace {
    var line = 1
    var column = 1

    init(character: Int, in script: String) {
        for scalar in script.unicodeScalars.prefix(character) { advance(scalar) }
    }

    init(offset: Int, in script: String) {
        self.init()
        for scalar in String(decoding: script.utf8.prefix(offset), as: UTF8.self).unicodeScalars { advance(scalar) }
    }

    init() {}

    mutating func advance(_ scalar: Unicode.Scalar) {
        if scalar == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
    }
}
