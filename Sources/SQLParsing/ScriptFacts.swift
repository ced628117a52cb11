internal import SQL

/// What a whole script does: the facts of its statements, folded.
public struct ScriptFacts: Sendable, Hashable {
    public var statements: [Statement]
    /// Of each statement, in the same order.
    public var facts: [StatementFacts]
    public var risk: StatementFacts.Risk
    /// Contract as soon as one statement takes something away.
    public var phase: StatementFacts.Phase
    /// Each once, without what the script itself has made: contract migrations.md §3.8.
    public var losses: [StatementFacts.Loss]
    /// True if there are statements of both kinds: they cannot be told apart into phases.
    public var isMixed: Bool

    /// - Throws: what the dialect's parser does not accept.
    public init(_ script: String, dialect: SQLDialect) throws(ParseError) {
        let parsed = try SQLScript.parsed(script, dialect: dialect)
        statements = parsed.statements
        switch dialect {
        case .postgres: facts = PostgresTrees(parsed).facts
        case .sqlite:
            facts = parsed.statements.indices.map { StatementFacts(sqlite: parsed.tokens(of: $0), text: parsed.statements[$0].text) }
        }
        risk = .additive
        phase = .expand
        losses = []
        isMixed = false
        findEarlyValues()
        fold(parsed, dialect)
    }

    /// Indexes of the statements that cannot run inside a transaction.
    public var nonTransactional: [Int] { facts.indices.filter { facts[$0].isNonTransactional } }

    /// `CREATE TABLE orders (…)` and so on, a line each.
    public var summary: [String] { facts.map(\.summary) }

    /// Of all statements, each once.
    public var relations: [String] {
        var seen: Set<String> = []
        return facts.flatMap(\.relations).filter { seen.insert($0).inserted }
    }

    /// True if it gives or takes rights, or changes owners.
    public var changesRights: Bool { facts.contains { $0.naming == .rights } }

    /// The statements that begin or end a transaction, or a part of one.
    public var transactionControl: [Statement] { facts.indices.filter { facts[$0].control != nil }.map { statements[$0] } }

    public var cautions: [String] {
        var seen: Set<String> = []
        return facts.flatMap(\.cautions).filter { seen.insert($0).inserted }
    }

    /// A value that is added to an enum cannot be used in the same transaction: PostgreSQL answers `unsafe use of new value`.
    private mutating func findEarlyValues() {
        for index in facts.indices {
            guard case .enumValueAdded(_, let value) = facts[index].probe else { continue }
            let literal = SQLLiteral.quoted(value, for: .postgres)
            if statements[(index + 1)...].contains(where: { $0.text.contains(literal) }) {
                facts[index].isNonTransactional = true
                facts[index].cautions.append("the new value is used further down, which needs a transaction of its own")
            }
        }
    }

    private mutating func fold(_ parsed: ParsedScript, _ dialect: SQLDialect) {
        var made = MadeObjects()
        var names = NameHistory(dialect)
        var hasExpand = false
        let rebuilt = dialect == .sqlite ? SQLiteRebuild.tables(of: parsed) : []
        // Behind another statement a condition may choose other rows than now.
        if let first = facts.first, first.losses.count == 1, first.losses[0].kind == .rows {
            facts[0].losses[0].condition = RowCondition(parsed.tokens(of: 0))?.text
        }
        for index in facts.indices {
            made.read(facts[index], parsed.tokens(of: index))
            let losses = facts[index].losses
            let own = losses.filter { !made.contains($0) && !($0.kind == .table && rebuilt.contains($0.object)) }.map(names.followed)
            facts[index].losses = own
            for loss in own where loss.isUncertain {
                facts[index].cautions.append(
                    "which \(loss.object) is meant is known only when it runs: what is lost may be neither counted nor saved")
            }
            facts[index].rights = facts[index].rights.compactMap(names.followed)
            if own.count < losses.count {
                if own.isEmpty { facts[index].risk = min(facts[index].risk, .availability) }
                if losses.contains(where: { rebuilt.contains($0.object) }) {
                    facts[index].cautions.append("the table is rebuilt: a column that is not copied is lost")
                }
            }
            made.forget(facts[index])
            if let change = facts[index].naming { names.add(change) }
            for loss in own where !self.losses.contains(loss) { self.losses.append(loss) }
            risk = max(risk, facts[index].risk)
            phase = max(phase, facts[index].phase)
            if facts[index].phase == .expand, facts[index].control == nil { hasExpand = true }
        }
        isMixed = hasExpand && phase == .contract
    }
}
