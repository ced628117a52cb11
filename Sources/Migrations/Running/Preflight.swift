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
        if !reading.tableExists, let problem = try await creation(postgres) { return problem }
        return try await needed(postgres, scripts)
    }

    /// Whether the adopted table can be made where it is missing: since PostgreSQL 15 not everybody may in `public`.
    private func creation(_ postgres: PostgresConnection) async throws(SQLError) -> Problem? {
        guard let schema = ObjectName(reading.table.name).schema else { return nil }
        let row = try await postgres.query(
            """
            SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'), \
            pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(current_user) FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text
            """, [.text(schema)]
        ).rows.first
        guard let row, row.count == 3, let name = row[1], let role = row[2] else {
            return Problem(
                "MigrationsSchemaMissing", "\(reading.database.id): there is no schema \(schema) for the table \(reading.table.name)",
                next: "create it, or set migrations.table to a schema that is there")
        }
        if row[0] == "t" { return nil }
        return Problem(
            "RightsMissing", "\(reading.database.id): the table \(reading.table.name) is missing, and \(role) may not create it in \(name)",
            next: "GRANT USAGE, CREATE ON SCHEMA \(name) TO \(role), or set migrations.table to a schema where it may")
    }

    /// What the statements need on relations that are there: found out before anything is moved. The right to update one column is not enough:
    /// the table is locked before its rows change.
    private func needed(_ postgres: PostgresConnection, _ scripts: [SchemaReading.Resolved]) async throws(SQLError) -> Problem? {
        var needs: [(right: NeededRight, path: String)] = []
        for script in scripts {
            for facts in script.facts.facts { needs += facts.rights.map { ($0, script.path) } }
            // What they give or take holds for those behind it.
            if script.facts.changesRights { break }
        }
        guard !needs.isEmpty else { return nil }
        let list = needs.map {
            "(\(SQLLiteral.quoted(ObjectName($0.right.relation).quoted, for: .postgres)), '\($0.right.kind.rawValue)')"
        }
        let lacking = try await postgres.query(
            """
            SELECT n.place - 1, c.oid::pg_catalog.regclass::text, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)), \
            pg_catalog.quote_ident(current_user) \
            FROM (SELECT column1 AS name, column2 AS kind, pg_catalog.row_number() OVER () AS place \
            FROM (VALUES \(list.joined(separator: ", "))) v) n \
            JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name)::oid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I') AND NOT CASE n.kind \
            WHEN 'owner' THEN pg_catalog.pg_has_role(c.relowner, 'USAGE') \
            WHEN 'dropping' THEN pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.pg_has_role(s.nspowner, 'USAGE') \
            WHEN 'update' THEN pg_catalog.has_table_privilege(c.oid, 'UPDATE') \
            WHEN 'delete' THEN pg_catalog.has_table_privilege(c.oid, 'DELETE') \
            WHEN 'truncate' THEN pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') \
            WHEN 'trigger' THEN pg_catalog.has_table_privilege(c.oid, 'TRIGGER') \
            ELSE pg_catalog.has_any_column_privilege(c.oid, n.kind) END ORDER BY n.place LIMIT 1
            """
        ).rows.first
        guard let lacking, lacking.count == 4, let index = lacking[0].flatMap({ Int($0) }), needs.indices.contains(index) else {
            return nil
        }
        let (right, path) = needs[index]
        let (relation, owner, role) = (lacking[1] ?? right.relation, lacking[2] ?? "the owner", lacking[3] ?? "the role")
        switch right.kind {
        case .owner, .dropping:
            return Problem(
                "RightsMissing",
                "\(reading.database.id): \(path) \(right.kind == .owner ? "alters" : "drops") \(relation), which belongs to \(owner), "
                    + "and \(role) may not do that",
                next: "GRANT \(owner) TO \(role), or have the migrations run by the owner")
        default:
            let name = right.kind.rawValue.uppercased()
            return Problem(
                "RightsMissing",
                "\(reading.database.id): \(path) needs the right \(name) on \(relation), which belongs to \(owner), and \(role) does not have it",
                next: "GRANT \(name) ON \(relation) TO \(role)")
        }
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
