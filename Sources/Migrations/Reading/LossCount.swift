import SQL
import SQLParsing

/// What would be lost, counted in the database as it is now.
///
/// Inside a transaction the count is exact and takes as long as it takes; outside, after two seconds the statistics' estimate stands for it.
struct LossCount: Sendable {
    /// Each loss in words, each once.
    private(set) var words: [String] = []
    /// At most so many; nil where it cannot be told.
    var rows: Int? { isCertain ? counts.values.reduce(0, +) : nil }
    /// Of the tables concerned; nil when there are none, and on SQLite.
    private(set) var bytes: Int?
    /// Qualified and quoted, each once: what is locked and saved.
    private(set) var tables: [String] = []
    /// True if a number is an estimate.
    private(set) var isEstimated = false
    /// True if a table's rows were all counted though only those that a condition chooses are taken.
    private(set) var isOfWholeTables = false
    /// The most that any loss takes of a table.
    private var counts: [String: Int] = [:]
    private var isCertain = true

    init(_ losses: [StatementFacts.Loss], on connection: any SQLConnection) async throws(SQLError) {
        for loss in losses {
            switch loss.kind {
            case .table, .column, .rows: try await add(loss, connection)
            case .schema, .database, .extension, .opaque:
                add(Self.words(loss))
                isCertain = false
            case .view, .type, .sequence: add(Self.words(loss))
            }
            if loss.isUncertain {
                add("\(Self.words(loss)), whichever it is by then")
                isCertain = false
            }
            if loss.cascades || loss.kind == .schema { try await expand(loss, connection) }
        }
    }

    /// What of it has rows of its own, as SQL names it: what is locked before anything is counted.
    static func names(_ losses: [StatementFacts.Loss]) -> [String] {
        var seen: Set<String> = []
        return losses.filter { [.table, .column, .rows].contains($0.kind) }.flatMap { $0.names.map(\.quoted) }.filter {
            seen.insert($0).inserted
        }
    }

    private mutating func add(_ text: String) { if !words.contains(text) { words.append(text) } }

    private mutating func add(_ loss: StatementFacts.Loss, _ connection: any SQLConnection) async throws(SQLError) {
        var found: [Found] = []
        for name in loss.names { if let one = try await Self.find(name, connection), !found.contains(one) { found.append(one) } }
        let before = words.count
        for one in found { try await add(loss, one, connection) }
        // Of several that a name may mean one is lost.
        if found.count > 1, words.count > before { isCertain = false }
    }

    private mutating func add(_ loss: StatementFacts.Loss, _ found: Found, _ connection: any SQLConnection) async throws(SQLError) {
        guard !found.isView else {
            add(Self.words(loss, found.name))
            isCertain = false
            return
        }
        let table = found.name
        let condition = (loss.originColumn ?? loss.column).map { " WHERE \(SQLIdentifier.quoted($0)) IS NOT NULL" } ?? ""
        // Nothing is lost with an empty table, or with a column without values.
        let isAny = try await Self.attempt("SELECT EXISTS (SELECT 1 FROM \(table)\(condition))", connection).map { $0 == "t" || $0 == "1" }
        if isAny == false { return }
        add(Self.words(loss, table))
        if loss.kind == .rows, !(try await isCounted(table, by: loss.condition, connection)) {
            isOfWholeTables = true
            try await count(table, condition, connection)
        } else if loss.kind != .rows {
            try await count(table, condition, connection)
        }
        try await addParts(of: table, connection)
    }

    /// Counts the rows that a condition chooses. Returns false where that could not be asked.
    private mutating func isCounted(
        _ table: String, by condition: String?, _ connection: any SQLConnection
    ) async throws(SQLError) -> Bool {
        guard let condition, let chosen = try await Self.attempt("SELECT count(*) FROM \(table)\(condition)", connection) else {
            return false
        }
        try await count(table, "", connection, known: Int(chosen))
        return true
    }

    /// Counts a table's rows towards what is at risk.
    private mutating func count(
        _ table: String, _ condition: String, _ connection: any SQLConnection, known: Int? = nil
    ) async throws(SQLError) {
        var count = known
        if count == nil { count = try await Self.attempt("SELECT count(*) FROM \(table)\(condition)", connection).flatMap { Int($0) } }
        if connection.engine == .postgres {
            let row = try await connection.query(
                """
                SELECT c.reltuples::bigint, pg_catalog.pg_total_relation_size(c.oid) \
                FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
                """, [.text(table)]
            ).rows.first
            if count == nil, let estimate = row?[0].flatMap({ Int($0) }), estimate >= 0 {
                count = estimate
                isEstimated = true
            }
            if !tables.contains(table) { bytes = (bytes ?? 0) + (row?[1].flatMap { Int($0) } ?? 0) }
        }
        if let count { counts[table] = max(counts[table] ?? 0, count) } else { isCertain = false }
        if !tables.contains(table) { tables.append(table) }
    }

    /// The tables below a table, whose rows were counted with it and are saved one by one.
    private mutating func addParts(of table: String, _ connection: any SQLConnection) async throws(SQLError) {
        guard connection.engine == .postgres else { return }
        for row in try await connection.query(Self.parts, [.text(table)]).rows {
            guard let part = row[0], !tables.contains(part) else { continue }
            tables.append(part)
            bytes = (bytes ?? 0) + (row[1].flatMap { Int($0) } ?? 0)
        }
    }

    /// What goes with it: views, columns and constraints of others, children of a table, tables of a schema. A table that refers to it loses
    /// its constraint with a `DROP`, its rows with a `TRUNCATE`: saved in both cases.
    private mutating func expand(_ loss: StatementFacts.Loss, _ connection: any SQLConnection) async throws(SQLError) {
        guard connection.engine == .postgres else { return }
        for name in loss.names { try await expand(loss, name.quoted, connection) }
    }

    private mutating func expand(
        _ loss: StatementFacts.Loss, _ name: String, _ connection: any SQLConnection
    ) async throws(SQLError) {
        let column = loss.kind == .column ? loss.originColumn ?? loss.column ?? "" : ""
        let dependents = try await connection.query(Self.dependents, [.text(name), .text(column)])
        for row in dependents.rows {
            guard let what = row[0] else { continue }
            add(what)
            if let table = row[1], !tables.contains(table) { try await count(table, "", connection) }
        }
        guard loss.kind == .table else {
            if loss.kind != .column { isCertain = false }
            return
        }
        for row in try await connection.query(Self.referring, [.text(name)]).rows {
            guard let table = row[0] else { continue }
            add("the foreign key of \(table), and its rows where this is a TRUNCATE")
            if !tables.contains(table) { try await count(table, "", connection) }
        }
    }

    // MARK: - Asking

    /// One value; nil when it could not be had, in time or at all. A transaction goes on as if nothing had been asked.
    private static func attempt(_ sql: String, _ connection: any SQLConnection) async throws(SQLError) -> String? {
        let isInside = await connection.transaction == .inTransaction
        guard connection.engine == .postgres else {
            do throws(SQLError) { return try await connection.query(sql).scalar } catch {
                guard error.code == .statement else { throw error }
                return nil
            }
        }
        try await connection.execute(
            isInside
                ? "SAVEPOINT belay_count" : "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = 2000; SET LOCAL lock_timeout = 1000"
        )
        let answer: Result<String?, SQLError>
        do throws(SQLError) { answer = .success(try await connection.query(sql).scalar) } catch { answer = .failure(error) }
        if case .failure(let error) = answer, error.code != .statement { throw error }
        try await connection.execute(isInside ? "ROLLBACK TO SAVEPOINT belay_count; RELEASE SAVEPOINT belay_count" : "ROLLBACK")
        return if case .success(let value) = answer { value } else { nil }
    }

    /// Something that holds rows, or shows those of others.
    private struct Found: Hashable {
        /// In full, and quoted.
        var name: String
        var isView: Bool
    }

    /// Nil when there is none of that name.
    private static func find(_ name: ObjectName, _ connection: any SQLConnection) async throws(SQLError) -> Found? {
        let answer: SQLRows
        switch connection.engine {
        case .postgres:
            answer = try await connection.query(
                """
                SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind = 'v' \
                FROM pg_catalog.pg_class c \
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'm', 'f', 'v')
                """, [.text(name.quoted)])
        case .sqlite:
            answer = try await connection.query(
                "SELECT '\"' || replace(name, '\"', '\"\"') || '\"', type = 'view' FROM sqlite_master WHERE type IN ('table', 'view') "
                    + "AND name = ?1 COLLATE NOCASE", [.text(name.last)])
        }
        guard let row = answer.rows.first, let found = row[0] else { return nil }
        return Found(name: found, isView: ["t", "1"].contains(row[1]))
    }

    /// - Parameter table: where it is found now; told where a statement before gives it another name.
    private static func words(_ loss: StatementFacts.Loss, _ table: String) -> String {
        guard !loss.origins.isEmpty else { return words(loss) }
        let (name, now) = (ObjectName(loss.object), ObjectName(table))
        var loss = loss
        if loss.originColumn == nil, now.last == name.last, name.schema == nil || name == now {
            loss.object = now.text
            return words(loss)
        }
        return "\(words(loss)) (now \(now.text)\(loss.originColumn.map { ".\($0)" } ?? ""))"
    }

    private static func words(_ loss: StatementFacts.Loss) -> String {
        switch loss.kind {
        case .column: "column \(loss.object).\(loss.column ?? "")"
        case .rows: "rows of \(loss.object)"
        case .opaque: "what only the database can tell"
        default: "\(loss.kind.rawValue) \(loss.object)"
        }
    }

    /// `$1`: a relation, a type or a schema; `$2`: a column of it, or nothing. Of each dependent its words, and its table where rows go.
    private static let dependents = """
        WITH RECURSIVE gone(classid, objid, objsubid) AS ( \
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid, coalesce(a.attnum::int, 0) FROM pg_catalog.pg_class c \
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $2 WHERE c.oid = pg_catalog.to_regclass($1)::oid \
        UNION SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, pg_catalog.to_regnamespace($1)::oid, 0 \
        WHERE pg_catalog.to_regclass($1) IS NULL AND pg_catalog.to_regnamespace($1) IS NOT NULL \
        UNION SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, pg_catalog.to_regtype($1)::oid, 0 \
        WHERE pg_catalog.to_regclass($1) IS NULL AND pg_catalog.to_regtype($1) IS NOT NULL \
        UNION SELECT x.classid, x.objid, x.objsubid FROM gone g CROSS JOIN LATERAL ( \
        SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d WHERE d.refclassid = g.classid AND d.refobjid = g.objid \
        AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid) AND d.deptype <> 'e' \
        UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.ev_class, 0 FROM pg_catalog.pg_rewrite r \
        WHERE g.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = g.objid AND r.rulename = '_RETURN') x) \
        SELECT DISTINCT CASE WHEN g.objsubid > 0 THEN 'column ' || g.objid::pg_catalog.regclass::text || '.' || a.attname \
        WHEN c.relkind = 'v' THEN 'view ' || c.oid::pg_catalog.regclass::text \
        WHEN c.relkind = 'm' THEN 'materialized view ' || c.oid::pg_catalog.regclass::text \
        ELSE 'table ' || c.oid::pg_catalog.regclass::text END, \
        CASE WHEN c.relkind IN ('r', 'p') THEN pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) END \
        FROM gone g JOIN pg_catalog.pg_class c ON g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = g.objid \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = g.objsubid AND g.objsubid > 0 \
        WHERE c.oid IS DISTINCT FROM pg_catalog.to_regclass($1)::oid AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1
        """

    private static let parts = """
        WITH RECURSIVE below(oid) AS (SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = pg_catalog.to_regclass($1)::oid \
        UNION SELECT i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid) \
        SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), pg_catalog.pg_total_relation_size(c.oid) \
        FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'p') ORDER BY 1
        """

    private static let referring = """
        WITH RECURSIVE pointing(oid) AS ( \
        SELECT pg_catalog.to_regclass($1)::oid UNION SELECT k.conrelid FROM pointing p JOIN pg_catalog.pg_constraint k \
        ON k.contype = 'f' AND k.confrelid = p.oid) \
        SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pointing p \
        JOIN pg_catalog.pg_class c ON c.oid = p.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.oid <> pg_catalog.to_regclass($1)::oid ORDER BY 1
        """
}
