internal import MigrationFiles
public import Model
public import ProviderKit
public import SQL
internal import SQLParsing

/// The right to move one database's schema and the connections to do it with, over as many migrations as a pass has. One at a time: a second
/// ``run(_:)`` while one is under way is refused.
///
/// Killed at any instruction, the next session finds either nothing of a migration or all of it with its record; of a script that cannot run
/// in one transaction, how far it came. See contract migrations.md §3.4 to §3.7.
public actor MigrationSession {
    public struct Settings: Sendable {
        /// Opens a connection; a direct one goes past a pooler. Throws `misconfigured` where there is no direct address.
        public var connect: @Sendable (_ direct: Bool) async throws(SQLError) -> any SQLConnection
        /// The adopted table's qualified name: what two runners have to agree on.
        public var table: String
        public var run: String
        public var actor: String
        public var commit: String?
        /// How long somebody else who is at work is waited for.
        public var patience: Duration = .zero
        /// How long a statement of a runner that is gone may go on before its session is ended.
        public var orphanGrace: Duration = .seconds(30)
        public var leaseDuration: Duration = .seconds(30)
        public var heartbeat: Duration = .seconds(5)
        /// Before the first repetition after a lock timeout; doubled up to the upper bound.
        public var backoff: ClosedRange<Duration> = .seconds(1)...(.seconds(60))
        /// Makes the adopted table where it is missing; run under the lease.
        public var creation: String?
        /// Told how far a migration is, a line each.
        public var progress: @Sendable (String) -> Void = { _ in }
        /// Called between every two effects with what has just happened; a test may end the process there. While it is set nothing is bundled.
        public var afterEffect: (@Sendable (String) async -> Void)?

        public init(
            table: String, run: String, actor: String, commit: String? = nil,
            connect: @escaping @Sendable (_ direct: Bool) async throws(SQLError) -> any SQLConnection
        ) {
            self.connect = connect
            self.table = table
            self.run = run
            self.actor = actor
            self.commit = commit
        }
    }

    let settings: Settings
    var archive: Archive
    var main: (any SQLConnection)?
    var direct: (any SQLConnection)?
    /// Whether a pooler stands before ``main``.
    var isPooled = false
    var version = 0
    var lock = AdvisoryLock(table: "", database: "")
    var lease: Lease?
    /// How the schema was when the last migration ended, and when that was read.
    var lastSchema: (state: MigrationJob.SchemaState, read: ContinuousClock.Instant)?
    /// When the lease was last prolonged.
    var renewed = ContinuousClock.now
    private(set) var isRunning = false

    private init(_ settings: Settings, _ archive: Archive) {
        self.settings = settings
        self.archive = archive
    }

    /// Connects, makes Belay's tables where they are missing, and takes the lease.
    public static func open(_ settings: Settings) async -> Result<MigrationSession, Problem> {
        do throws(SQLError) {
            let connection = try await settings.connect(false)
            let session = MigrationSession(settings, Archive(connection.engine))
            do throws(SQLError) {
                try await session.prepare(connection)
                try await session.archive.ensure(on: connection)
            } catch {
                await session.close()
                throw error
            }
            if let problem = await session.takeLease() {
                await session.close()
                return .failure(problem)
            }
            if let problem = await session.makeTable(on: connection) {
                await session.close()
                return .failure(problem)
            }
            return .success(session)
        } catch {
            return .failure(problem(error))
        }
    }

    /// Gives the lease back and ends the connections. May be called twice.
    public func close() async {
        if let lease, let main, await main.transaction == .idle {
            do throws(SQLError) {
                try await lease.release(on: main)
            } catch {
                // It expires by itself.
            }
        }
        lease = nil
        await main?.close()
        await direct?.close()
        main = nil
        direct = nil
    }

    static func problem(_ error: SQLError) -> Problem {
        if let ofFile = error.fileProblem { return Problem(ofFile.reason, error.description, next: ofFile.next) }
        return switch error.code {
        case .unreachable, .lost: Problem("DatabaseUnreachable", error.description)
        case .refusedLogin: Problem("DatabaseRefusedLogin", error.description)
        case .cancelled: Problem("Cancelled", error.description)
        case .misconfigured: Problem("DatabaseMisconfigured", error.message, next: error.hint)
        case .statement where error.sqlState == "42501":
            Problem(
                "RightMissing", error.description,
                next:
                    "let an administrator run CREATE SCHEMA belay AUTHORIZATION <the role of the migrations>, and see that it owns what it changes"
            )
        case .statement: Problem("DatabaseFailed", error.description)
        }
    }

    private func makeTable(on connection: any SQLConnection) async -> Problem? {
        guard let creation = settings.creation else { return nil }
        do throws(SQLError) {
            try await connection.execute(creation)
            return nil
        } catch {
            guard error.sqlState == "42501" else { return Self.problem(error) }
            // Quoted or not, the schema stands before the last point of the name.
            let end = settings.table.hasSuffix("\"") ? settings.table.ranges(of: ".\"").last : settings.table.ranges(of: ".").last
            let schema = end.map { "SCHEMA \(settings.table[..<$0.lowerBound])" } ?? "the schema of \(settings.table)"
            return Problem(
                "RightMissing", error.description,
                next: "let an administrator run GRANT CREATE ON \(schema) TO <the role of the migrations>")
        }
    }

    func prepare(_ connection: any SQLConnection) async throws(SQLError) {
        main = connection
        guard archive.engine == .postgres else {
            try await connection.execute("PRAGMA busy_timeout = 2000")
            return
        }
        let facts = try await connection.query(
            "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_database()")
        version = facts.rows.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
        lock = AdvisoryLock(table: settings.table, database: facts.rows.first?.last.flatMap { $0 } ?? "")
        if let postgres = connection as? PostgresConnection { isPooled = try await postgres.isThroughPooler() }
    }

    func pause(_ duration: Duration) async throws(SQLError) {
        do {
            try await ContinuousClock().sleep(for: duration)
        } catch {
            throw SQLError(.cancelled, "cancelled while waiting")
        }
    }

    func effect(_ what: String) async { await settings.afterEffect?(what) }

    // MARK: - Running

    /// Runs one migration. Idempotent: one that is done already is done.
    public func run(_ job: MigrationJob) async -> MigrationEnd {
        await exclusively { await self.decide(job) }
    }

    /// Says what is to become of an interrupted migration. Returns what stands in the way, nil when it is written down; the next ``run(_:)``
    /// goes on from there.
    public func resolve(_ version: String, _ resolution: Resolution) async -> Problem? {
        let end = await exclusively {
            if let problem = await self.writeResolution(version, resolution) { return .failed(problem) }
            return .done("")
        }
        return if case .failed(let problem) = end { problem } else { nil }
    }

    /// Runs statements as one transaction, under the lease. Returns what stands in the way.
    func write(_ runs: [SQLRun]) async -> Problem? {
        guard !runs.isEmpty else { return nil }
        let end = await exclusively {
            do throws(SQLError) {
                try await self.together(try self.mainConnection(), MigrationSettings.Timeouts(), runs)
                return .done("")
            } catch {
                return .failed(Self.problem(error))
            }
        }
        return if case .failed(let problem) = end { problem } else { nil }
    }

    /// Asks something on the session's own connection.
    func look<Answer: Sendable>(
        _ question: @Sendable (any SQLConnection) async throws(SQLError) -> Answer
    ) async -> Result<Answer, Problem> {
        if let problem = await ready() { return .failure(problem) }
        do throws(SQLError) {
            return .success(try await question(try mainConnection()))
        } catch {
            return .failure(Self.problem(error))
        }
    }

    private func exclusively(_ work: @escaping @Sendable () async -> MigrationEnd) async -> MigrationEnd {
        guard !isRunning else { return .failed(Problem("DatabaseBusy", "this session already runs a migration")) }
        isRunning = true
        defer { isRunning = false }
        if let problem = await ready() { return .failed(problem) }
        return await withHeartbeat(work)
    }

    private func decide(_ job: MigrationJob) async -> MigrationEnd {
        if let control = job.facts.facts.firstIndex(where: { $0.control != nil }) {
            return .failed(
                job.problem(
                    SQLError(
                        .statement, "a migration must not control the transaction that it runs in", hint: "take it out, or split the file"),
                    at: control, position: nil
                ).renamed("TransactionControlInMigration"))
        }
        if job.isTransactional, let first = job.facts.nonTransactional.first {
            return .failed(
                job.problem(
                    SQLError(.statement, "this statement cannot run inside a transaction", hint: "give it a file of its own"), at: first,
                    position: nil
                ).renamed("MixedMigration"))
        }
        if job.script.isTransactional == nil, job.facts.isMixed, let first = job.facts.nonTransactional.first {
            return .failed(
                job.problem(
                    SQLError(
                        .statement, "this statement cannot run inside a transaction, and the file has others",
                        hint: "give it a file of its own, or say in the file that it runs without a transaction"), at: first, position: nil
                ).renamed("MixedMigration"))
        }
        guard job.isTransactional else { return await runInSteps(job) }
        return await runInTransaction(job)
    }

    func mainConnection() throws(SQLError) -> any SQLConnection {
        guard let main else { throw SQLError(.lost, "the connection is closed") }
        return main
    }

    /// Forgets a connection whose state is not known.
    func drop() async {
        await main?.close()
        main = nil
    }
}

extension Problem {
    func renamed(_ reason: String) -> Problem { Problem(reason, message, next: next, retryAfter: retryAfter) }
}
