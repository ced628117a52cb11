import Model
import SpecFields

/// One entry of `spec.databases`.
struct DatabaseDeclaration: Sendable {
    /// Nil only after a mistake and while a schema is made.
    var connection: Database.Connection?
    var schema: String
    var migrations: MigrationSettings
    var checks: [DataCheck]
    var allowsDowntime: Bool

    static let form = Form<DatabaseDeclaration>.object { DatabaseDeclaration(&$0) }

    private init(_ fields: inout Fields) {
        let engines = [
            Alternative("postgres", PostgresDeclaration.form, "A PostgreSQL database.") { $0 },
            Alternative("sqlite", SQLiteDeclaration.form, "A SQLite file.") { $0 },
        ]
        connection = fields.exactlyOne(of: "an engine", engines)
        schema = fields.required(
            "schema", .string(.release),
            "The pin: the migration that is to be the last one applied, by the full name of its file or a number that only it has; none for the empty schema."
        )
        migrations = fields.required("migrations", MigrationsDeclaration.form, "Where the migrations are, and how they are run.")
        checks = fields.optional("verify", DataCheckDeclaration.list, "Questions to the data, asked when everything has arrived.") ?? []
        allowsDowntime =
            fields.optional(
                "downtime", .choice(["refused", "allowed"]), default: "refused",
                "Whether components that tolerate no schema in between may be stopped while it moves.") == "allowed"
    }
}

private enum PostgresDeclaration {
    static let form = Form<Database.Connection>.object { fields in
        .postgres(
            url: fields.required("url", address, "postgres://…, from fromEnv, fromFile or fromSecret; may lead to a pooler."),
            direct: fields.optional(
                "directUrl", address, "The same past a pooler; needed for what cannot run through one in transaction mode."))
    }

    private static let address = Configuration.Source.form
}

private enum SQLiteDeclaration {
    static let form = Form<Database.Connection>.object { fields in
        .sqlite(fields.required("path", "The file, absolute or relative to this file."))
    }
}

private enum MigrationsDeclaration {
    static let form = Form<MigrationSettings>.object { fields in
        let fallback = MigrationSettings(path: "")
        let places = [
            Alternative<MigrationSettings>("path", "The directory of the migrations, absolute or relative to this file.") {
                (path: String) in
                MigrationSettings(path: path)
            },
            Alternative("git", MigrationRepositoryDeclaration.form, "The Git repository that the migrations are in.") {
                MigrationSettings(path: "", git: $0)
            },
        ]
        let place = fields.exactlyOne(of: "a place", places) ?? fallback
        let settings = MigrationSettings(
            path: place.path, git: place.git,
            format: fields.optional("format", .choice(formats), "What the migrations are written for; detected when it is left out."),
            table: fields.optional("table", "The table that records what is applied; detected when it is left out."),
            order: fields.optional("order", .choice(["numeric", "lexical"]), "Needed only where the two differ."),
            outOfOrder: fields.choice(
                "outOfOrder", fallback.outOfOrder,
                "A migration that is missing though a later one is applied: block, apply it now, or rebase."),
            onMissing: fields.choice(
                "onMissing", fallback.onMissing,
                "Where a down script is looked for whose file is gone: in the copy that the database keeps and then in Git history (archive), "
                    + "in Git history only (git), or nowhere (block)."),
            onIrreversible: fields.choice(
                "onIrreversible", fallback.onIrreversible,
                "A migration without a way back: block, restore the backup of the whole database that was taken before it, or derive its way "
                    + "back from the statements where that is certain (synthesize)."),
            verify: fields.choice(
                "verify", fallback.verify,
                "A schema that is not as it was after a way back: off does not look, warn tells, strict rolls the migration back."),
            backup: fields.choice(
                "backup", fallback.backup,
                "What is saved before data is lost: none, the tables concerned (scoped), or the whole database (full)."),
            timeouts: fields.optional("timeouts", TimeoutsDeclaration.form, "How long a migration may take.") ?? fallback.timeouts,
            baseline: fields.optional(
                "baseline",
                "The last migration that is applied already to a database that records none: everything up to it counts as applied."),
            acceptEdited: Dictionary(
                (fields.optional(
                    "acceptEdited", editsForm, "Applied migrations that were edited on purpose: SHA-256 of the new script by name.")?
                    .entries ?? []).map { ($0.key, $0.value) }
            ) { first, _ in first },
            revert: fields.optional(
                "revert", default: [], "Applied migrations at or below the pin, without a file, that are to be taken back."))
        return settings
    }

    private static let formats = [
        "runbook", "dbmate", "golang-migrate", "goose", "sql-migrate", "sqlx", "diesel", "node-pg-migrate", "flyway", "tern", "stem",
    ]
    private static let editsForm = Form<SpecMap<String>>.map(of: .string(.release))
}

private enum TimeoutsDeclaration {
    static let form = Form<MigrationSettings.Timeouts>.object { fields in
        let fallback = MigrationSettings.Timeouts()
        return MigrationSettings.Timeouts(
            lock: fields.optional("lock", range, default: fallback.lock, "For a lock; then the whole transaction is tried again."),
            statement: fields.optional("statement", range, default: fallback.statement, "For one statement."),
            migration: fields.optional("migration", range, default: fallback.migration, "For one migration with its retries."),
            lockRetries: fields.optional(
                "lockRetries", .integer(0...1000), default: fallback.lockRetries, "How often a lock is tried again."))
    }

    private static let range = Form.duration(.milliseconds(100) ... .seconds(24 * 3600))
}

private enum DataCheckDeclaration {
    static let list: Form<[DataCheck]> = .list(of: check)

    private static let check = Form<DataCheck>.object { fields in
        DataCheck(
            sql: fields.required("sql", "A query; it runs read-only, and the first column of its first row is the answer."),
            expect: fields.required("expect", Form<Check.Scalar>.standard.map(\.asText), "The answer, compared as text."))
    }
}

extension Check.Scalar {
    fileprivate var asText: String {
        switch self {
        case .null: ""
        case .bool(let value): value ? "true" : "false"
        case .number(let value): Int(exactly: value).map(String.init) ?? String(value)
        case .string(let value): value
        }
    }
}

extension Fields {
    fileprivate mutating func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ fallback: Choice, _ doc: String
    ) -> Choice where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue)
        return Choice(rawValue: optional(name, .choice(words), default: fallback.rawValue, doc)) ?? fallback
    }
}
