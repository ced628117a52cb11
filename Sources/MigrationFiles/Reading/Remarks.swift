import SQLParsing

/// What a file says of itself in Belay's own words, whatever its format: `-- phase:`, `-- irreversible`, `-- pragma:` at the beginning of a
/// line.
struct Remarks {
    struct Phase {
        var value: MigrationFile.DeclaredPhase
        var path: String
        var line: Int
    }

    var phase: Phase?
    var isIrreversible = false
    var pragmas: [String] = []

    init(_ text: SourceText, _ dialect: SQLDialect, _ mistakes: inout [Mistake]) {
        for (index, line) in text.lines.enumerated() {
            guard let comment = line.after("--")?.trimmed else { continue }
            if let value = comment.after("phase:")?.words {
                readPhase(value, text, index, &mistakes)
            } else if let value = comment.after("pragma:")?.trimmed {
                readPragma(value, text, index, dialect, &mistakes)
            } else if let rest = comment.lowercased().after("irreversible"), rest.isEmpty || rest.hasPrefix(":") {
                isIrreversible = true
            }
        }
    }

    private mutating func readPhase(_ words: [String], _ text: SourceText, _ index: Int, _ mistakes: inout [Mistake]) {
        guard let value = words.first.flatMap(MigrationFile.DeclaredPhase.init) else {
            // Several other words are prose, not a directive.
            if words.count <= 1 {
                mistakes.append(
                    text.mistake(
                        "UnknownPhase", line: index,
                        "phase \"\(words.first ?? "")\" is none; write -- phase: expand, contract or either"))
            }
            return
        }
        if let phase, phase.value != value {
            mistakes.append(
                text.mistake(
                    "ConflictingPhase", line: index,
                    "phase \(value.rawValue) here, \(phase.value.rawValue) in line \(phase.line); keep one of them"))
        }
        phase = phase ?? Phase(value: value, path: text.path, line: index + 1)
    }

    private mutating func readPragma(
        _ value: String, _ text: SourceText, _ index: Int, _ dialect: SQLDialect, _ mistakes: inout [Mistake]
    ) {
        guard dialect == .sqlite else {
            mistakes.append(text.mistake("PragmaNotSupported", line: index, "PostgreSQL has no pragmas; remove this line"))
            return
        }
        let sides = value.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmed)
        let isWord = { (word: String) in !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") } }
        guard sides.count == 2, sides.allSatisfy(isWord) else {
            mistakes.append(text.mistake("InvalidPragma", line: index, "a pragma is NAME=VALUE, for instance -- pragma: foreign_keys=off"))
            return
        }
        pragmas.append("\(sides[0].lowercased())=\(sides[1])")
    }
}
