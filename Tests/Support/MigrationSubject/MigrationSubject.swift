import FoundationEssentials
import MigrationFiles
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs one script against a database as Belay does, and ends at a chosen effect as a power cut would end it.
///
/// Arguments: address or path, run, `up` or `down`, the script, 1 if it runs without a transaction, and the number of the effect (0: none).
/// Prints how many effects there were, and the end.
@main struct MigrationSubject {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 7, let last = Int(arguments[6]) else { exit(64) }
        let (address, run, script) = (arguments[1], arguments[2], arguments[4])
        let dialect: SQLDialect = address.hasPrefix("postgres") ? .postgres : .sqlite
        var settings = MigrationSession.Settings(table: "public.schema_migrations", run: run, actor: "test@host") { _ throws(SQLError) in
            if dialect == .sqlite { return try await SQLiteConnection(address, mode: .create) }
            return try await PostgresConnection(PostgresAddress(address))
        }
        settings.patience = .seconds(20)
        settings.leaseDuration = .milliseconds(700)
        settings.heartbeat = .milliseconds(200)
        settings.orphanGrace = .seconds(1)
        let count = Mutex(0)
        settings.afterEffect = { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number == last { kill(getpid(), SIGKILL) }
        }
        guard let facts = try? ScriptFacts(script, dialect: dialect) else { exit(65) }  // Its caller sees the code.
        let isUp = arguments[3] == "up"
        let place = dialect == .postgres ? "$1" : "?1"
        let table = dialect == .postgres ? "public.schema_migrations" : "schema_migrations"
        let job = MigrationJob(
            version: "1_a", name: "a", isUp: isUp,
            script: MigrationScript(text: script, isTransactional: arguments[5] == "1" ? false : nil), facts: facts, path: "1_a.sql",
            recorded: SQLRun("SELECT 1 FROM \(table) WHERE version = \(place)", ["1"]),
            records: [
                SQLRun(isUp ? "INSERT INTO \(table) (version) VALUES (\(place))" : "DELETE FROM \(table) WHERE version = \(place)", ["1"])
            ],
            archive: ArchiveRow(version: "1_a", name: "a", sequence: 0, state: .applied, upSQL: isUp ? script : nil).signed([1]))
        switch await MigrationSession.open(settings) {
        case .failure(let problem): print("0 refused \(problem)")
        case .success(let session):
            let end = await session.run(job)
            await session.close()
            let word =
                switch end {
                case .done: "done"
                case .failed(let problem): "failed \(problem)"
                case .undecided(let problem): "undecided \(problem)"
                }
            print("\(count.withLock { $0 }) \(word)")
        }
    }
}
