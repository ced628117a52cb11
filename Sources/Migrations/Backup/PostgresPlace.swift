public import Model
public import SQL

/// A PostgreSQL server as backups need it: sessions with any of its databases, and its own programs.
public struct PostgresPlace: Sendable {
    /// Of the server itself, not of a pooler in front of it, for a role that may read everything.
    public var address: PostgresAddress
    /// The database that is meant.
    public var database: String
    /// In the sessions' application name.
    public var run: String
    public var programs: PostgresPrograms
    /// Of every program that is run.
    public var deadline: Duration

    /// - Parameter database: nil: the one that the address names.
    public init(
        _ address: PostgresAddress, database: String? = nil, run: String, programs: PostgresPrograms,
        deadline: Duration = .seconds(4 * 3600)
    ) throws(Problem) {
        guard let database = database ?? address.database else {
            throw Problem(
                "DatabaseMisconfigured", "the address of the database names no database",
                next: "write it out: postgres://USER@HOST:PORT/DATABASE")
        }
        self.address = address
        self.database = database
        self.run = run
        self.programs = programs
        self.deadline = deadline
    }

    /// The same server, another database.
    func at(_ database: String) -> PostgresPlace {
        var other = self
        other.database = database
        return other
    }

    func connect() async throws(Problem) -> PostgresConnection {
        do throws(SQLError) {
            return try await PostgresConnection(address.withDatabase(database), applicationName: "belay/\(run)")
        } catch {
            throw Problem(sql: error, "cannot connect to \(database)")
        }
    }

    /// Opens a session, hands it to `work` and closes it whatever happens.
    func session<Value>(_ work: (PostgresConnection) async throws(Problem) -> Value) async throws(Problem) -> Value {
        let connection = try await connect()
        do throws(Problem) {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// A session with another database of the server, for what cannot be done from within this one: `postgres`, else `template1`.
    func maintenance<Value>(_ work: (PostgresConnection) async throws(Problem) -> Value) async throws(Problem) -> Value {
        let names = ["postgres", "template1"].filter { $0 != database }
        var last: Problem?
        for name in names {
            let connection: PostgresConnection
            do throws(Problem) { connection = try await at(name).connect() } catch {
                last = error
                continue
            }
            do throws(Problem) {
                let value = try await work(connection)
                await connection.close()
                return value
            } catch {
                await connection.close()
                throw error
            }
        }
        throw Problem(
            "NoMaintenanceDatabase",
            "no session with the databases \(names.joined(separator: " or ")) of the server: \(last?.message ?? "")",
            next: "allow this role to connect to one of them: a database cannot be renamed from within")
    }

    /// Runs one of the server's programs against ``database``.
    /// - Parameter mayFail: an exit code other than 0 is no problem.
    func run(
        _ program: PostgresPrograms.Name, serverVersion: Int, _ arguments: [String], outputLimit: Int = 1 << 20, mayFail: Bool = false
    ) async throws(Problem) -> ProgramRun.Ended {
        try await ProgramRun(
            executable: programs.path(of: program, serverVersion: serverVersion), arguments: arguments,
            environment: address.withDatabase(database).environment, deadline: deadline
        ).run(outputLimit: outputLimit, mayFail: mayFail)
    }
}

extension Problem {
    /// - Parameter what: what failed, without the reason.
    init(sql error: SQLError, _ what: String, next: String? = nil, reason: String? = nil) {
        let usual =
            switch error.code {
            case .unreachable, .refusedLogin: "DatabaseUnreachable"
            case .lost: "ConnectionLost"
            case .cancelled: "Cancelled"
            case .misconfigured: "DatabaseMisconfigured"
            case .statement: error.sqlState == "42501" ? "NotPermitted" : "StatementFailed"
            }
        self.init(reason ?? usual, "\(what): \(error)", next: next)
    }
}

extension SQLConnection {
    /// - Parameter what: for the message: what was being done.
    @discardableResult
    func ask(_ sql: String, _ parameters: [SQLValue] = [], for what: String) async throws(Problem) -> SQLRows {
        do throws(SQLError) { return try await query(sql, parameters) } catch { throw Problem(sql: error, what) }
    }

    /// `150020` for 15.20.
    func serverVersion() async throws(Problem) -> Int {
        Int(try await ask("SELECT current_setting('server_version_num')", for: "cannot read the server's version").scalar ?? "") ?? 0
    }
}
