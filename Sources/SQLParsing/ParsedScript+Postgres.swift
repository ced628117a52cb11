extension ParsedScript {
    init(postgres script: ScriptBytes) throws(ParseError) {
        try script.refuseNUL()
        let found: [Range<Int>]
        let tokens: [SQLToken]
        do throws(PostgresLibrary.Failure) {
            found = try PostgresLibrary.split(script)
            tokens = try PostgresLibrary.tokens(script)
        } catch {
            throw PostgresProblem(error, in: script).error
        }
        self.init(script: script, tokens: tokens, ranges: Self.tokenRanges(found, of: tokens))
        for index in statements.indices where CopyFromClient.isMeant(by: self.tokens(of: index)) {
            let statement = statements[index]
            throw ParseError(CopyFromClient.message, line: statement.line, column: statement.column)
        }
    }

    /// The parser counts the blanks and comments in front of a statement to it, and those behind it too.
    private static func tokenRanges(_ found: [Range<Int>], of tokens: [SQLToken]) -> [Range<Int>] {
        var (result, next): ([Range<Int>], Int) = ([], 0)
        for statement in found {
            while next < tokens.count, tokens[next].range.lowerBound < statement.lowerBound || tokens[next].kind == .semicolon { next += 1 }
            let first = next
            while next < tokens.count, tokens[next].range.lowerBound < statement.upperBound { next += 1 }
            if next > first { result.append(first..<next) }
        }
        return result
    }
}

/// `COPY … FROM STDIN`: its data comes from the client, in a protocol of its own.
enum CopyFromClient {
    static let message =
        "COPY … FROM STDIN takes its data from the client, which a migration cannot give; write the rows as INSERT, "
        + "for a dump with pg_dump --inserts"

    static func isMeant(by tokens: StatementTokens) -> Bool {
        guard tokens[0] == "COPY" else { return false }
        return (1..<max(1, tokens.count - 1)).contains { tokens[$0] == "FROM" && tokens[$0 + 1] == "STDIN" }
    }
}

/// Says what is wrong with a script that the parser does not accept.
struct PostgresProblem {
    private let failure: PostgresLibrary.Failure
    private let script: ScriptBytes
    /// Where the parser stopped, in bytes.
    private let offset: Int

    init(_ failure: PostgresLibrary.Failure, in script: ScriptBytes) {
        self.failure = failure
        self.script = script
        offset = failure.position > 0 ? script.offset(ofCharacter: failure.position) : script.count
    }

    var error: ParseError {
        if let start = copyFromClient { return script.error(CopyFromClient.message, at: start) }
        if let command = metaCommand { return script.error(Self.message(ofCommand: command), at: offset) }
        if failure.message.hasPrefix("memory exhausted") {
            return script.error("nested too deeply: PostgreSQL's parser takes 10000 levels at most", at: offset)
        }
        return script.error(failure.message, at: offset)
    }

    /// The word behind a backslash; nil if the parser did not stop at one.
    private var metaCommand: String? {
        guard offset < script.count, script.bytes[offset] == UInt8(ascii: "\\") else { return nil }
        let word = script.bytes[(offset + 1)..<script.count].prefix(32).prefix { $0 > 0x20 && $0 != UInt8(ascii: ";") }
        return "\\" + String(decoding: word, as: UTF8.self)
    }

    private static func message(ofCommand command: String) -> String {
        switch command {
        case "\\restrict", "\\unrestrict":
            "\(command) is a command of psql that pg_dump writes around its dumps; it cannot be run here: remove both lines, "
                + "\\restrict and \\unrestrict"
        case "\\i", "\\ir", "\\include", "\\include_relative":
            "\(command) is a command of psql and cannot be run here; put the text of the file in its place"
        case "\\.":
            "\(command) ends the data of COPY … FROM STDIN, which cannot be run here; write the rows as INSERT"
        default:
            "\(command) is a command of psql and cannot be run here; write it as SQL"
        }
    }

    /// Where a `COPY … FROM STDIN` begins whose data is what the parser stumbled over.
    private var copyFromClient: Int? {
        // Every place where such a statement may end is tried, and few are enough: the first that is one is the answer.
        for end in endsOfCopy.prefix(16) {
            guard let parsed = try? ParsedScript.tokensOfLastStatement(String(decoding: script.bytes[..<end], as: UTF8.self)) else {
                continue
            }
            if CopyFromClient.isMeant(by: parsed), let first = parsed.tokens.first { return first.range.lowerBound }
        }
        return nil
    }

    private var endsOfCopy: [Int] {
        let word = Array("stdin".utf8)
        var (result, index): ([Int], Int) = ([], script.start)
        while index + word.count <= offset {
            let isWord = (0..<word.count).allSatisfy { script.bytes[index + $0] | 0x20 == word[$0] }
            index += isWord ? word.count : 1
            guard isWord, let end = script.bytes[index..<offset].firstIndex(of: UInt8(ascii: ";")) else { continue }
            result.append(end)
        }
        return result
    }
}

extension ParsedScript {
    /// Without the look at `COPY`, so that it can be used for finding one.
    fileprivate static func tokensOfLastStatement(_ text: String) throws(PostgresLibrary.Failure) -> StatementTokens? {
        let script = ScriptBytes(text)
        let found = try PostgresLibrary.split(script)
        let tokens = try PostgresLibrary.tokens(script)
        guard let last = tokenRanges(found, of: tokens).last else { return nil }
        return StatementTokens(script: script, tokens: tokens[last])
    }
}
