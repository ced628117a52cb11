internal import SQL

/// Everything of one transaction as one script, and which statement of it is which: one round trip for all.
struct TransactionText {
    enum Piece: Hashable {
        case own
        /// Of the migration, by its index.
        case statement(Int)
    }

    private(set) var text = ""
    private var pieces: [(start: Int, piece: Piece)] = []
    private var length = 0

    /// How many statements there are.
    var count: Int { pieces.count }

    /// Adds one statement.
    mutating func add(_ sql: String, _ piece: Piece = .own) {
        pieces.append((length, piece))
        // The newline ends a comment at the end of the statement.
        text += sql + "\n;\n"
        length += sql.unicodeScalars.count + 3
    }

    mutating func add(_ run: SQLRun) { add(InlineSQL.inline(run)) }

    /// Which statement of the migration an error comes from, and where in it, counted from 1.
    func place(of error: SQLError) -> (index: Int?, position: Int?) {
        var found = error.completed.flatMap { pieces.indices.contains($0) ? pieces[$0] : nil }
        // Syntax is checked before the first statement runs: then only the position tells.
        if let position = error.position { found = pieces.last { $0.start < position } ?? found }
        guard let found, case .statement(let index) = found.piece else { return (nil, nil) }
        return (index, error.position.map { $0 - found.start })
    }
}
