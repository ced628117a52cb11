import Model
import SQL

/// The statements of one transaction on a table of flags.
struct SQLFlagWriting {
    var table: FlagTable
    var connection: any SQLConnection
    var place: String

    func observations(of names: [String], isLocking: Bool) async throws(FlagTable.Reading) -> [String: FlagObservation] {
        do throws(SQLError) {
            let (sql, parameters) = table.select(names, isLocking: isLocking)
            let rows = try await connection.query(sql, parameters).rows.compactMap { FlagRow($0) }
            let isOnlyTenants = names.contains { name in
                rows.contains { $0.name == name } && !rows.contains { $0.name == name && $0.tenant == nil }
            }
            // Only then does it matter.
            let isUnique = isOnlyTenants ? try await table.isUniqueByNameAlone(on: connection) : false
            return Dictionary(
                names.map { ($0, FlagRow.observation(of: $0, rows, isUniqueByNameAlone: isUnique, place: place)) }
            ) { first, _ in first }
        } catch {
            throw .failed(error)
        }
    }

    /// Does everything but commit; false if nothing was to be done. The transaction is open afterwards, whatever the end.
    func make(_ changes: [FlagChange]) async throws(FlagTable.Reading) -> Bool {
        try await run(
            table.engine == .postgres
                ? "BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '15s'" : "BEGIN IMMEDIATE")
        var current = try await observations(of: changes.map(\.name), isLocking: true)
        var isChanged = false
        for change in changes {
            let now = current[change.name] ?? FlagObservation()
            do throws(Problem) {
                guard try change.isNeeded(given: now, in: place) else { continue }
                guard change.to.rollout == nil || table.has("rollout_percentage") else {
                    throw Problem(
                        "NoRollout",
                        "\(place): \(change.name) shall be rolled out to a part of the users, and the table has no column rollout_percentage",
                        next: "leave the rollout out, or give the table that column")
                }
            } catch {
                throw .unfit(error)
            }
            // Without a marker there is no row of ours.
            if now.marker == nil { try await insert(change) } else { try await update(change) }
            if table.engine == .postgres { try await run("SELECT pg_notify('feature_flags', $1)", [.text(change.name)]) }
            // A flag that is named twice is judged by its first change; its marker is known to nobody.
            current[change.name] = FlagObservation(setting: change.to, marker: "written")
            isChanged = true
        }
        return isChanged
    }

    private func update(_ change: FlagChange) async throws(FlagTable.Reading) {
        let (status, rollout) = change.to.columns
        var parameters: [SQLValue] = [.text(change.name), .text(status)]
        var sets = ["status = \(table.parameter(2))"]
        if table.has("rollout_percentage") {
            parameters.append(.integer(Int64(rollout)))
            sets.append("rollout_percentage = \(table.parameter(3))")
        }
        if let now { sets.append("updated_at = \(now)") }
        let mine = table.has("tenant_id") ? " AND tenant_id IS NULL" : ""
        let affected = try await run(
            "UPDATE \(table.sql) SET \(sets.joined(separator: ", ")) WHERE flag_name = \(table.parameter(1))\(mine)", parameters)
        guard affected == 1 else {
            // A rule or a policy of the table's may let us see a row and not change it.
            throw .unfit(
                Problem(
                    "NothingWritten", "\(place): the database changed \(affected) rows of \(change.name) instead of one; nothing is kept",
                    next: "look for row security policies, rules and triggers of the table"))
        }
    }

    private func insert(_ change: FlagChange) async throws(FlagTable.Reading) {
        let (status, rollout) = change.to.columns
        var columns = ["flag_name", "status"]
        var values = [table.parameter(1), table.parameter(2)]
        var parameters: [SQLValue] = [.text(change.name), .text(status)]
        func add(_ column: String, _ value: SQLValue) {
            guard table.has(column) else { return }
            parameters.append(value)
            columns.append(column)
            values.append(table.parameter(parameters.count))
        }
        add("rollout_percentage", .integer(Int64(rollout)))
        add("metadata", #"{"managed_by":"belay"}"#)
        if let now {
            columns.append("updated_at")
            values.append(now)
        }
        if let id = table.columns["flag_id"], !id.hasDefault, let made = newID(id) {
            columns.append("flag_id")
            values.append(made)
        }
        try await run(
            "INSERT INTO \(table.sql) (\(columns.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")))", parameters)
    }

    /// The time of the change, as the column wants it; nil without the column.
    private var now: String? {
        guard let column = table.columns["updated_at"] else { return nil }
        switch table.engine {
        // Not now(): that is when the transaction began, perhaps before the change that is replaced.
        case .postgres: return "clock_timestamp()"
        case .sqlite:
            return column.type.contains("int") ? "CAST(strftime('%s', 'now') AS INTEGER)" : "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        }
    }

    /// Nil where the database makes one itself.
    private func newID(_ column: FlagTable.Column) -> String? {
        switch table.engine {
        case .postgres: column.type == "uuid" ? "gen_random_uuid()" : nil
        case .sqlite: column.type.contains("int") ? nil : "lower(hex(randomblob(16)))"
        }
    }

    @discardableResult
    private func run(_ sql: String, _ parameters: [SQLValue]? = nil) async throws(FlagTable.Reading) -> Int {
        do throws(SQLError) {
            if let parameters { return try await connection.query(sql, parameters).affected }
            try await connection.execute(sql)
            return 0
        } catch {
            throw .failed(error)
        }
    }
}
