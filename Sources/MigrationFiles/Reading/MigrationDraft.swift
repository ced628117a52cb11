import SQLParsing

/// A migration whose parts were found and whose scripts nobody has looked into yet.
struct MigrationDraft {
    var stem: String
    var number: String?
    var name: String
    var path: String
    var downPath: String?
    var bytes: [UInt8]
    var up: ScriptDraft
    var down: ScriptDraft?
    var isRepeatable = false
    /// Of the up file, then of the down file where it is another one.
    var remarks: [Remarks]
    /// False where the format cannot run the file at all: its SQL is not looked at then.
    var isReadable = true

    /// The migration, with its transactions and directives looked after.
    func finished(_ format: MigrationFormat, _ dialect: SQLDialect, _ mistakes: inout [Mistake]) -> MigrationFile {
        let phases = remarks.compactMap(\.phase)
        if let first = phases.first, let other = phases.first(where: { $0.value != first.value }) {
            mistakes.append(
                Mistake(
                    "ConflictingPhase", path: other.path, line: other.line, column: 1,
                    "phase \(other.value.rawValue) here, \(first.value.rawValue) in line \(first.line) of \(first.path); keep one of them"))
        }
        let upPragmas = remarks.first?.pragmas ?? []
        let downPragmas = downPath == nil ? upPragmas : remarks.last?.pragmas ?? []
        let upScript = script(up, upPragmas, format, dialect, &mistakes)
        let downScript = down.map { script($0, downPragmas, format, dialect, &mistakes) }
        return MigrationFile(
            stem: stem, number: number, name: name, path: path, downPath: downPath, bytes: bytes, up: upScript,
            down: downScript.flatMap { SignificantSQL($0.text).isEmpty ? nil : $0 }, isRepeatable: isRepeatable,
            declaredPhase: phases.first?.value, isDeclaredIrreversible: remarks.contains(where: \.isIrreversible))
    }

    private func script(
        _ draft: ScriptDraft, _ pragmas: [String], _ format: MigrationFormat, _ dialect: SQLDialect, _ mistakes: inout [Mistake]
    ) -> MigrationScript {
        var script = MigrationScript(
            text: draft.text, firstLine: draft.firstLine, isTransactional: draft.isTransactional, pragmas: pragmas)
        guard isReadable else { return script }
        do throws(ParseError) {
            let (text, control) = try SQLScript.removingOuterTransaction(draft.text, dialect: dialect)
            // A file that brings its own transaction runs in one, whatever its directive says.
            if text != draft.text, script.isTransactional == false { script.isTransactional = nil }
            script.text = text
            for statement in control {
                let way = draft.isTransactional == false ? nil : format.nonTransactionalMark
                mistakes.append(
                    Mistake(
                        "TransactionControlInMigration", path: draft.path, line: statement.line + draft.firstLine - 1,
                        column: statement.column,
                        "\(statement.text.words.first?.uppercased() ?? "this") would end or open the transaction in which the migration and its"
                            + " record are written; split it into several migrations"
                            + (way.map { ", or mark it as not transactional (\($0)) and take the transaction out" } ?? "")))
            }
        } catch {
            mistakes.append(
                Mistake(
                    "SyntaxError", path: draft.path, line: error.line + draft.firstLine - 1, column: error.column,
                    "\(error.message); this is not the SQL of \(dialect == .postgres ? "PostgreSQL" : "SQLite")"))
        }
        return script
    }
}

extension MigrationFormat {
    /// How a file says that it must not run inside a transaction; nil where the format has no word for it.
    var nonTransactionalMark: String? {
        switch self {
        case .dbmate: "-- migrate:up transaction:false"
        case .goose: "-- +goose NO TRANSACTION"
        case .sqlMigrate: "-- +migrate Up notransaction"
        case .sqlx: "-- no-transaction in the first line"
        case .diesel: "run_in_transaction = false in metadata.toml"
        case .flyway: "executeInTransaction=false in a .sql.conf file beside it"
        case .tern: "---- tern: disable-tx ----"
        case .runbook, .golangMigrate, .nodePgMigrate, .stem: nil
        }
    }
}
