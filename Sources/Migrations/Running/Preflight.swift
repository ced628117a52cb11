import MigrationFiles
import Model
import SQL
import SQLParsing

/// Looks at the whole way of a schema before the first statement of it. Reads only.
struct Preflight: Sendable {
    private let reading: SchemaReading
    private let connection: any SQLConnection
    /// Whether the spec has an address past a pooler; the connection is then to that one.
    private let direct: Bool

    init(_ reading: SchemaReading, _ connection: any SQLConnection, direct: Bool) {
        self.reading = reading
        self.connection = connection
        self.direct = direct
    }

    /// The first thing that stands in the way; nil when nothing does.
    func problem(with changes: [MigrationChange]) async -> Problem? {
        var scripts: [SchemaReading.Resolved] = []
        for change in changes {
            switch reading.script(of: change) {
            case .success(let script): scripts.append(script)
            case .failure(let problem): return problem
            }
        }
        guard let postgres = connection as? PostgresConnection else { return nil }
        do throws(SQLError) {
            if try await postgres.isThroughPooler(), let script = scripts.first(where: needsSession) { return needsDirectURL(script) }
            return try await rights(postgres, scripts)
        } catch {
            return Problem(reading.database, error)
        }
    }

    /// A pooler may give the session's settings, locks and snapshots to somebody else (contract migrations.md §3.6).
    private func needsSession(_ script: SchemaReading.Resolved) -> Bool {
        !script.isTransactional || MigrationSession.changesSession(script.facts.statements) != nil
            || (!script.facts.losses.isEmpty && reading.database.migrations.backup != .none)
    }

    private func needsDirectURL(_ script: SchemaReading.Resolved) -> Problem {
        Problem(
            "DirectConnectionNeeded",
            "\(reading.database.id): \(script.path) needs a session of its own, and the \(direct ? "directUrl" : "url") leads through a pooler",
            next: "set directUrl to the server itself: PgBouncer's server port, Supabase port 5432 instead of 6543, Neon's host without "
                + "-pooler, RDS Proxy the instance's own endpoint")
    }

    private func rights(_ postgres: PostgresConnection, _ scripts: [SchemaReading.Resolved]) async throws(SQLError) -> Problem? {
        let database = reading.database
        let row =
            try await postgres.query(
                "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), "
                    + "pg_catalog.to_regnamespace('belay') IS NOT NULL"
            ).rows.first ?? []
        if row.first == "t" {
            return Problem("ReadOnlyReplica", "\(database.id): this server is a replica", next: "give the address of the primary server")
        }
        if row.count == 3, row[1] == "f", row[2] == "f" {
            return Problem(
                "RightsMissing", "\(database.id): the role may not create the schema belay, where Belay remembers what it applied",
                next: "GRANT CREATE ON DATABASE to it, or have somebody create the schema belay for it")
        }
        // Only an owner may change a table; that is found out before anything is moved.
        let relations = Set(scripts.flatMap(\.facts.relations)).sorted()
        guard !relations.isEmpty else { return nil }
        let list = relations.map { SQLLiteral.quoted($0, for: .postgres) }.joined(separator: ", ")
        let foreign = try await postgres.query(
            """
            SELECT c.oid::pg_catalog.regclass::text, pg_catalog.pg_get_userbyid(c.relowner), current_user FROM pg_catalog.pg_class c \
            WHERE c.oid IN (SELECT pg_catalog.to_regclass(name)::oid FROM pg_catalog.unnest(ARRAY[\(list)]::text[]) name) \
            AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') \
            AND NOT pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES') ORDER BY 1
            """
        ).rows.first
        guard let foreign, foreign.count == 3 else { return nil }
        return Problem(
            "RightsMissing",
            "\(database.id): \(foreign[0] ?? "") belongs to \(foreign[1] ?? ""), and \(foreign[2] ?? "the role") may not change it",
            next: "GRANT \(foreign[1] ?? "the owner") TO \(foreign[2] ?? "the role"), or have the migrations run by the owner")
    }
}

extension SchemaReading {
    /// The script of a planned change as it is now, if it is what was planned.
    func script(of change: MigrationChange) -> Result<Resolved, Problem> {
        let found: Resolved?
        do throws(ParseError) {
            found = change.isUp ? try up(change.version) : try down(change.version)
        } catch {
            return .failure(syntaxError(change.version, error))
        }
        guard let found else { return .failure(.scriptMissing(change, database)) }
        guard let planned = change.script, planned.hash != found.hash else { return .success(found) }
        return .failure(
            Problem(
                "WorldChanged", "\(database.id): the script of \(change.version) changed since it was planned",
                next: "nothing was run; the next pass plans anew"))
    }

    func syntaxError(_ stem: String, _ error: ParseError) -> Problem {
        Problem(
            "SyntaxError", "\(database.id): \(stem): line \(error.line), column \(error.column): \(error.message)",
            next: "mend the script")
    }
}
