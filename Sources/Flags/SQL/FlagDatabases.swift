internal import FoundationEssentials
public import Model
internal import SQL

/// Opens sessions with the databases that specs name, for tables of flags.
///
/// Through a pooler where the spec has one: every change is one transaction, and nothing is left in the session.
public struct FlagDatabases: Sendable {
    /// Reads the value that a spec refers to.
    public typealias AddressReading = @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>

    private let address: AddressReading

    public init(address: @escaping AddressReading) { self.address = address }

    /// What opens sessions with the databases of one system.
    public func connector(of databases: [Database]) -> FlagDatabaseConnector {
        { name in
            guard let database = databases.first(where: { $0.name == name }) else {
                return .failure(
                    Problem("NoDatabase", "flags: the spec has no database \(name)", next: "correct flags.store.sql.database in the spec"))
            }
            return await connect(database)
        }
    }

    private func connect(_ database: Database) async -> Result<any SQLConnection, Problem> {
        do throws(SQLError) {
            switch database.connection {
            case .sqlite(let path):
                guard FileManager.default.fileExists(atPath: path) else {
                    return .failure(
                        Problem(
                            "DatabaseMissing", "\(database.id): there is no file \(path), and so no table of flags",
                            next: "correct its path in the spec, or let a migration make it"))
                }
                return .success(try await SQLiteConnection(path, mode: .readWrite))
            case .postgres(let url, _):
                switch await address(url, database.name) {
                case .failure(let problem): return .failure(problem)
                case .success(let secret): return .success(try await PostgresConnection(PostgresAddress(secret.reveal())))
                }
            }
        } catch {
            return .failure(Self.problem(database, error))
        }
    }

    private static func problem(_ database: Database, _ error: SQLError) -> Problem {
        let message = "\(database.id): \(error.message)" + (error.detail.map { " (\($0))" } ?? "")
        return switch error.code {
        case .unreachable, .lost: Problem("DatabaseUnreachable", message, next: "check that it runs and that the address is right")
        case .refusedLogin: Problem("LoginRefused", message, next: "check user, password and database in the address")
        case .misconfigured: Problem("DatabaseMisconfigured", message, next: error.hint ?? "correct its address")
        case .cancelled: Problem("Interrupted", message, next: "run it again")
        case .statement: Problem("StatementFailed", message, next: error.hint ?? "see what the database says")
        }
    }
}
