import FoundationEssentials
import Subprocess
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A real PostgreSQL server, started when it is first used and gone soon after the test process; with PgBouncer in front of it where asked
/// for.
public actor PostgresServer {
    /// The one that the tests of a process share.
    public static let shared = PostgresServer()

    /// A server of one test's own, which may be stopped; it is stopped with the last reference at the latest.
    public init() {
        let name = "belay-pg-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        root = FileManager.default.temporaryDirectory.appending(path: name).path
    }

    deinit { signal() }

    /// The reason of a test that is skipped.
    public static let need = "needs a PostgreSQL server program: apt-get install postgresql"
    public static let poolerNeed = "needs PgBouncer: apt-get install pgbouncer"

    public static var isAvailable: Bool {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []  // Not there: not available.
        return versions.contains { FileManager.default.isExecutableFile(atPath: "/usr/lib/postgresql/\($0)/bin/postgres") }
    }

    public static var isPoolerAvailable: Bool {
        isAvailable && FileManager.default.isExecutableFile(atPath: "/usr/sbin/pgbouncer")
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
        public init(description: String) { self.description = description }
    }

    private var starting: Task<Int, any Error>?
    private var pooling: [String: Task<Int, any Error>] = [:]
    private var count = 0

    private let root: String

    /// Stops the server at once, as if the machine had lost power; sessions break. Its files and its poolers go soon after.
    public func stop() async throws {
        signal()
        while FileManager.default.fileExists(atPath: root + "/data/postmaster.pid") { try await Task.sleep(for: .milliseconds(10)) }
    }

    private nonisolated func signal() {
        // Not there: not started, or stopped already.
        guard let text = try? String(contentsOf: URL(filePath: root + "/data/postmaster.pid"), encoding: .utf8),
            let pid = text.split(separator: "\n").first.flatMap({ Int32($0) })
        else { return }
        kill(pid, SIGQUIT)
    }

    /// The server's port on 127.0.0.1.
    public func port() async throws -> Int {
        if let starting { return try await starting.value }
        let task = Task { [root] in try await Self.run("start-postgres", [root, String(ProcessInfo.processInfo.processIdentifier)]) }
        starting = task
        return try await task.value
    }

    /// The port of a PgBouncer in front of the server.
    /// - Parameter mode: `transaction` or `session`.
    public func poolerPort(mode: String = "transaction") async throws -> Int {
        if let pooling = pooling[mode] { return try await pooling.value }
        let server = try await port()
        let task = Task { [root] in try await Self.run("start-pgbouncer", [root, String(server), mode]) }
        pooling[mode] = task
        return try await task.value
    }

    /// Makes a new, empty database and returns its name.
    public func makeDatabase() async throws -> String {
        let port = try await port()
        count += 1
        let name = "test_\(ProcessInfo.processInfo.processIdentifier)_\(count)"
        _ = try await psql("CREATE DATABASE \(name)", database: "postgres", port: port)
        return name
    }

    /// The address of a database of the server, for its superuser unless another user is named.
    public func url(of database: String, user: String = "postgres", password: String? = nil) async throws -> String {
        "postgres://\(user)\(password.map { ":\($0)" } ?? "")@127.0.0.1:\(try await port())/\(database)"
    }

    /// The same through PgBouncer.
    public func pooledURL(of database: String, mode: String = "transaction") async throws -> String {
        "postgres://postgres@127.0.0.1:\(try await poolerPort(mode: mode))/\(database)"
    }

    /// Runs SQL with the vendor's own client and returns what it printed: unaligned rows without headers.
    public func psql(_ sql: String, database: String) async throws -> String {
        try await psql(sql, database: database, port: try await port())
    }

    private func psql(_ sql: String, database: String, port: Int) async throws -> String {
        let result = try await Subprocess.run(
            .name("psql"),
            arguments: [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-d", database,
                "-c", sql,
            ],
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else { throw Failure(description: result.standardError) }
        return result.standardOutput.split(separator: "\n").joined(separator: "\n")
    }

    private static func run(_ script: String, _ arguments: [String]) async throws -> Int {
        var folder = FilePath(#filePath)
        folder.removeLastComponent()
        folder.removeLastComponent()
        let result = try await Subprocess.run(
            .path(folder.appending("databases").appending(script)), arguments: Arguments(arguments), output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        let text = result.standardOutput.split(separator: "\n").last.map(String.init) ?? ""
        guard result.terminationStatus.isSuccess, let port = Int(text) else {
            throw Failure(description: "\(script): \(result.standardOutput) \(result.standardError)")
        }
        return port
    }
}
