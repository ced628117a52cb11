/// A token of a script, comments left out.
struct SQLToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// A keyword or a name without quotes.
        case word
        case quotedName
        /// Any constant in quotes: strings, bit strings, blobs.
        case string
        case number
        case parameter
        case semicolon
        /// An operator, a bracket, a comma.
        case symbol
    }

    var kind: Kind
    /// In bytes of the script.
    var range: Range<Int>
}

/// The tokens of one statement, for looking at its first words.
struct StatementTokens {
    let script: ScriptBytes
    let tokens: ArraySlice<SQLToken>

    var count: Int { tokens.count }

    /// In upper case if it is a word; a string or a quoted name as it is written; empty behind the end.
    subscript(index: Int) -> String {
        guard index < tokens.count else { return "" }
        let token = tokens[tokens.startIndex + index]
        let text = script.text(token.range)
        return token.kind == .word ? text.uppercased() : text
    }

    func begins(with words: String...) -> Bool {
        words.enumerated().allSatisfy { self[$0.offset] == $0.element }
    }
}
