extension SQLScript {
    /// The script without the transaction that its author put around it (`BEGIN` as its first statement, `COMMIT` as its last one), in whose
    /// place blanks stand, so that every line keeps its number; and every other statement that controls a transaction.
    ///
    /// A `BEGIN` that asks for something (`ISOLATION LEVEL`, `READ ONLY`) is not taken out, because what it asks for would be lost; nor is
    /// `COMMIT AND CHAIN`. They are among the others then.
    public static func removingOuterTransaction(
        _ script: String, dialect: SQLDialect
    ) throws(ParseError) -> (script: String, control: [Statement]) {
        let parsed = try parsed(script, dialect: dialect)
        let last = parsed.statements.count - 1
        let isWrapped = last > 0 && parsed.tokens(of: 0).isPlainBegin(dialect) && parsed.tokens(of: last).isPlainCommit
        let others = parsed.statements.indices.filter { index in
            (!isWrapped || (index != 0 && index != last)) && parsed.tokens(of: index).transactionControl != nil
        }
        return (isWrapped ? parsed.blanking([0, last]) : script, others.map { parsed.statements[$0] })
    }
}

extension ParsedScript {
    /// The script with blanks in place of the statements and their semicolons.
    fileprivate func blanking(_ indices: [Int]) -> String {
        var bytes = script.bytes
        for index in indices {
            let range = ranges[index]
            let hasSemicolon = range.upperBound < tokens.count && tokens[range.upperBound].kind == .semicolon
            let end = tokens[hasSemicolon ? range.upperBound : range.upperBound - 1].range.upperBound
            for offset in tokens[range.lowerBound].range.lowerBound..<end where bytes[offset] != 0x0A && bytes[offset] != 0x0D {
                bytes[offset] = 0x20
            }
        }
        return String(decoding: bytes[script.start..<script.count], as: UTF8.self)
    }
}

extension StatementTokens {
    var transactionControl: StatementFacts.TransactionControl? {
        switch self[0] {
        case "BEGIN": .begin
        case "START" where self[1] == "TRANSACTION": .begin
        case "COMMIT", "END": .commit
        case "PREPARE" where self[1] == "TRANSACTION": .commit
        case "ABORT": .rollback
        case "ROLLBACK": [self[1], self[2]].contains("TO") ? .savepoint : .rollback
        case "SAVEPOINT", "RELEASE": .savepoint
        default: nil
        }
    }

    fileprivate func isPlainBegin(_ dialect: SQLDialect) -> Bool {
        if begins(with: "START", "TRANSACTION") { return count == 2 }
        guard self[0] == "BEGIN" else { return false }
        let modes = dialect == .sqlite ? ["DEFERRED", "IMMEDIATE", "EXCLUSIVE", "TRANSACTION"] : ["WORK", "TRANSACTION"]
        return (1..<max(1, count)).allSatisfy { modes.contains(self[$0]) }
    }

    fileprivate var isPlainCommit: Bool {
        ["COMMIT", "END"].contains(self[0]) && (count == 1 || count == 2 && ["WORK", "TRANSACTION"].contains(self[1]))
    }
}
