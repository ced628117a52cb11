import Model
import SQL

/// What a database says of its migrations.
struct DatabaseAnswers: Sendable {
    let search: AdoptedTable.Search
    /// Of the adopted table; empty where there is none.
    let records: SQLRows
    let archive: [ArchiveRow]
    /// How the schema is; nil where it was not asked for, or comes later.
    private(set) var schema: MigrationJob.SchemaState?

    /// Asks everything at once: one round trip where Belay's tables are there and the adopted one stands where it is expected. Changes nothing.
    init(
        _ search: TableSearch, _ settings: MigrationSettings, _ database: ResourceID, _ connection: any SQLConnection
    ) async throws(SQLError) {
        let archive = Archive(connection.engine)
        let guess = search.guess
        if let postgres = connection as? PostgresConnection {
            var questions = [search.query, archive.selection(withLines: false).sql, guess.query]
            if settings.verify != .off {
                let parameters = SchemaFingerprint.postgresParameters(excluding: [guess.plainName])
                questions.append(InlineSQL.inline(SQLRun(SchemaFingerprint.postgresQuery, parameters)))
            }
            let (rows, error) = try await postgres.answers(to: questions.joined(separator: "\n;\n"))
            if error == nil, rows.count == questions.count, case .found(guess) = search.result(rows[0], database: database) {
                self.search = .found(guess)
                self.archive = try archive.rows(rows[1])
                records = rows[2]
                if rows.count > 3 { schema = MigrationJob.SchemaState(SchemaFingerprint(postgres: rows[3].scalar ?? "")) }
                return
            }
        }
        self.archive = try await archive.load(on: connection, withLines: false)
        self.search = search.result(try await connection.query(search.query), database: database)
        if case .found(let table) = self.search { records = try await connection.query(table.query) } else { records = SQLRows() }
    }
}
