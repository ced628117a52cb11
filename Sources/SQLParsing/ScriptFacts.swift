internal import Crypto
internal import JSONValues

/// What a whole script does: the facts of its statements, folded.
public struct ScriptFacts: Sendable, Hashable {
    public var statements: [Statement]
    /// Of each statement, in the same order.
    public var facts: [StatementFacts]
    public var risk: StatementFacts.Risk
    /// Contract as soon as one statement takes something away.
    public var phase: StatementFacts.Phase
    /// Each once, without what the script itself has made.
    public var losses: [StatementFacts.Loss]
    /// True if there are statements of both kinds: they cannot be told apart into phases.
    public var isMixed: Bool

    /// - Throws: what the dialect's parser does not accept.
    public init(_ script: String, dialect: SQLDialect) throws(ParseError) {
        statements = try SQLScript.statements(script, dialect: dialect)
        switch dialect {
        case .postgres:
            let trees = try PostgresParser.parse(script)
            facts = zip(trees, statements).map { StatementFacts(postgres: $0.tree, text: $1.text) }
        case .sqlite:
            facts = statements.map { StatementFacts(sqlite: $0.text) }
        }
        risk = .additive
        phase = .expand
        losses = []
        isMixed = false
        findEarlyValues()
        fold(dialect)
    }

    /// Indexes of the statements that cannot run inside a transaction.
    public var nonTransactional: [Int] { facts.indices.filter { facts[$0].isNonTransactional } }

    /// `CREATE TABLE orders (…)` and so on, a line each.
    public var summary: [String] { facts.map(\.summary) }

    public var cautions: [String] {
        var seen: Set<String> = []
        return facts.flatMap(\.cautions).filter { seen.insert($0).inserted }
    }

    /// A value that is added to an enum cannot be used in the same transaction: PostgreSQL answers `unsafe use of new value`.
    private mutating func findEarlyValues() {
        for index in facts.indices {
            guard case .enumValueAdded(_, let value) = facts[index].probe else { continue }
            if statements[(index + 1)...].contains(where: { $0.text.contains("'\(value)'") }) { facts[index].isNonTransactional = true }
        }
    }

    private mutating func fold(_ dialect: SQLDialect) {
        var made: Set<String> = []
        var hasExpand = false
        let rebuilt = dialect == .sqlite ? rebuiltTables : []
        for index in facts.indices {
            if case .created(let object, let name) = facts[index].probe, object == .table || object == .materializedView {
                made.insert(name)
            }
            if case .columnAdded(let table, let column) = facts[index].probe { made.insert("\(table).\(column)") }
            let own = facts[index].losses.filter { loss in
                let name = loss.column.map { "\(loss.object).\($0)" } ?? loss.object
                return loss.kind == .opaque || !(made.contains(name) || made.contains(loss.object) || rebuilt.contains(loss.object))
            }
            if own.count < facts[index].losses.count, own.isEmpty { facts[index].risk = min(facts[index].risk, .availability) }
            facts[index].losses = own
            for loss in own where !losses.contains(loss) { losses.append(loss) }
            risk = max(risk, facts[index].risk)
            phase = max(phase, facts[index].phase)
            if facts[index].phase == .expand, facts[index].control == nil { hasExpand = true }
        }
        isMixed = hasExpand && phase == .contract
    }

    /// SQLite's way to change a table: make a new one, copy, drop the old one, give the new one its name.
    private var rebuiltTables: Set<String> {
        var copied: Set<String> = []
        var renamed: Set<String> = []
        for statement in statements {
            let words = SQLiteWords(statement.text)
            if words.upper(0) == "INSERT", words.contains("SELECT") { copied.insert(words.name(after: ["INTO"])) }
            if words.upper(0) == "ALTER", words.contains("RENAME"), words.contains("TO"), copied.contains(words.name(after: ["TABLE"])) {
                renamed.insert(words.name(after: ["TO"]))
            }
        }
        return renamed
    }
}

extension SQLScript {
    /// The same for two scripts that differ in blanks, comments, line ends and the case of keywords only; nil for what cannot be parsed.
    public static func cosmeticFingerprint(_ script: String, dialect: SQLDialect) -> String? {
        let text: String
        switch dialect {
        case .postgres:
            guard let trees = try? PostgresParser.parse(script) else { return nil }  // What cannot be parsed has none.
            text = trees.map { $0.tree.withoutPlaces.description }.joined(separator: "\n")
        case .sqlite:
            text = SQLiteWords(script).words.map { word in
                switch word {
                case .bare(let bare): bare.uppercased()
                case .name(let name): "\"\(name)\""
                case .text(let text): "'\(text)'"
                case .sign(let sign): String(sign)
                }
            }.joined(separator: " ")
        }
        let digits = Array("0123456789abcdef")
        return String(SHA256.hash(data: Array(text.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension JSON {
    /// Without what tells where in the text something stood.
    fileprivate var withoutPlaces: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.withoutPlaces))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.filter { !["location", "stmt_location", "stmt_len", "rexpr_list_start", "list_start"].contains($0.key) }
                        .map { ($0.key, $0.value.withoutPlaces) }))
        default: self
        }
    }
}
