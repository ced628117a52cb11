import MigrationFiles
import Model
import ProviderKit
import SQL
import SQLParsing

extension MigrationsDriver {
    /// What is known of a database: its files, its table and what it remembers. Reads only.
    func reading(
        of database: Database, on connection: any SQLConnection, _ request: SchemaRequest
    ) async -> Result<SchemaReading, Problem> {
        if let problem = database.migrationsProblem { return .failure(problem) }
        let dialect: SQLDialect = connection.engine == .postgres ? .postgres : .sqlite
        let settings = database.migrations
        let directory: MigrationDirectory
        do throws(MigrationFileErrors) {
            let sources = try MigrationSource.all(under: settings.path)
            var format = settings.format.flatMap(MigrationFormat.init)
            if format == nil { format = await fittingTable(MigrationFormat.fitting(sources), database, connection) }
            if format == nil, sources.isEmpty { format = await rememberedFormat(connection) }
            // Nothing is wanted and nothing is there: a database that only keeps Belay's own tables.
            if format == nil, sources.isEmpty, database.schema == Database.emptySchema { format = .dbmate }
            directory = try MigrationDirectory(
                reading: sources, format: format, order: settings.order.flatMap(MigrationOrder.init), dialect: dialect)
        } catch {
            return .failure(Problem(database, error, settings.path))
        }
        do throws(SQLError) {
            let answers = try await DatabaseAnswers(
                TableSearch(named: settings.table, format: directory.format, engine: connection.engine), settings, database.id, connection)
            let archive = answers.archive
            let table: AdoptedTable
            var set = AppliedSet()
            var exists = false
            switch answers.search {
            case .refused(let problem): return .failure(problem)
            case .none(let missing): table = missing
            case .found(let found):
                table = found
                exists = true
                set = found.read(answers.records, files: directory.migrations, archive: archive, database: database.id)
            }
            var isInhabited = false
            if set.applied.isEmpty, set.repeatables.isEmpty, set.problems.isEmpty, archive.isEmpty {
                isInhabited = try await AdoptedTable.hasUserTables(connection, besides: table.name)
            }
            var reading = SchemaReading(
                database, directory: directory, table: table, tableExists: exists, set: set, archive: archive, dialect: dialect,
                isInhabited: isInhabited, facts: facts, isSigned: { ArchiveSignature.isSigned($0, key: request.key) })
            reading.schemaNow = answers.schema
            return .success(await recovered(reading))
        } catch {
            return .failure(Problem(database, error))
        }
    }

    /// What the migrations were written for whose files are all gone; nil where the database keeps no copies.
    private func rememberedFormat(_ connection: any SQLConnection) async -> MigrationFormat? {
        let archive = try? await Archive(connection.engine).load(on: connection, withLines: false)  // Told by the next question.
        return archive?.last?.format.flatMap(MigrationFormat.init)
    }

    /// Of several formats that the files fit, the one whose table is there; nil where that does not decide.
    private func fittingTable(_ formats: [MigrationFormat], _ database: Database, _ connection: any SQLConnection) async -> MigrationFormat?
    {
        guard formats.count > 1 else { return nil }
        var found: [MigrationFormat] = []
        for format in formats {
            let search = try? await AdoptedTable.find(  // What cannot be asked now is told by the next question.
                on: connection, named: database.migrations.table, format: format, database: database.id)
            if case .found? = search { found.append(format) }
        }
        return found.count == 1 ? found[0] : nil
    }
}
