import DatabaseServers
import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// A system with one database, worked on through the program's commands.
struct BackedShop: Sendable {
    enum Engine: String, Sendable, CaseIterable {
        case sqlite, postgres
    }

    let engine: Engine
    let place: Place
    /// The file, or the name of the database.
    let name: String
    private let url: String

    /// Three migrations, each with a table `t_a`, `t_b`, `t_c` of one row; all of them applied.
    static func with(_ engine: Engine, migrates: Bool = true, _ body: (BackedShop) async throws -> Void) async throws {
        let place = try Place()
        let name = engine == .sqlite ? place.path("shop.db") : try await PostgresServer.shared.makeDatabase()
        let shop = BackedShop(
            engine: engine, place: place, name: name,
            url: engine == .sqlite ? "" : try await PostgresServer.shared.url(of: name, password: "hidden-in-a-test"))
        for letter in ["a", "b", "c"] {
            try shop.migration(
                letter, up: "CREATE TABLE t_\(letter) (id integer PRIMARY KEY, note text); INSERT INTO t_\(letter) VALUES (1, 'first');",
                down: "DROP TABLE t_\(letter);")
        }
        try shop.pin("c")
        if migrates {
            let once = try await shop.run("--once", "--adopt")
            try #require(once.status == 0, "\(once.output)\(once.errors)")
        }
        do {
            try await body(shop)
            try place.remove()
        } catch {
            try place.remove()
            throw error
        }
    }

    /// The full name of a migration by its letter; `none` stays what it is.
    static func version(_ letter: String) -> String {
        guard letter.utf8.count == 1, let byte = letter.utf8.first else { return letter }
        return "2024010\(byte - 0x60)000000_\(letter)"
    }

    func migration(_ letter: String, up: String, down: String) throws {
        try place.write("migrations/\(Self.version(letter)).sql", "-- migrate:up\n\(up)\n-- migrate:down\n\(down)\n")
    }

    func pin(_ letter: String) throws {
        let connection = engine == .sqlite ? "sqlite: {path: shop.db}" : "postgres: {url: {fromEnv: DATABASE_URL}}"
        try place.write(
            "system.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop}
            spec:
              databases:
                main:
                  \(connection)
                  migrations: {path: migrations}
                  schema: \(Self.version(letter))
            """)
    }

    /// The environment of every command.
    var variables: [String: String?] {
        ["DATABASE_URL": url, "XDG_STATE_HOME": place.path("state"), "NO_COLOR": "1", "BELAY_KEY": nil, "BELAY_PG_BIN": nil]
    }

    /// Runs the program on the spec. No password may ever be printed.
    func run(_ arguments: String..., more: [String: String?] = [:]) async throws -> BuiltProgram.Ended {
        let ended = try await BuiltProgram("reconcile").run(
            arguments + ["-f", place.path("system.yaml")], variables: variables.merging(more) { $1 }, in: place.root)
        #expect(!ended.output.contains("hidden-in-a-test") && !ended.errors.contains("hidden-in-a-test"))
        return ended
    }

    /// The same in a shell, with `$reconcile` for the program and its spec option appended.
    func shell(_ line: String) async throws -> BuiltProgram.Ended {
        try await BuiltProgram(onSearchPath: "bash").run(
            ["-c", line.replacing("$reconcile", with: BuiltShell.reconcile) + " -f '\(place.path("system.yaml"))'"], variables: variables,
            in: place.root)
    }

    /// The one item of what a command printed as JSON.
    func json(_ arguments: String...) async throws -> JSON {
        let ended = try await BuiltProgram("reconcile").run(
            arguments + ["-o", "json", "-f", place.path("system.yaml")], variables: variables, in: place.root)
        return try #require(try JSON(parsing: ended.output)["items"]?[0], "\(ended.output)\(ended.errors)")
    }

    /// Takes a backup and returns its id.
    func backUp() async throws -> String {
        try #require(try await json("backup", "create")["id"]?.string)
    }

    /// Rows as the vendors' own clients print them.
    @discardableResult func ask(_ sql: String) async throws -> String {
        guard engine == .sqlite else { return try await PostgresServer.shared.psql(sql, database: name) }
        let ended = try await BuiltProgram(onSearchPath: "sqlite3").run([name, sql])
        guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
        return ended.output.split(separator: "\n").joined(separator: "\n")
    }

    /// The databases of the server whose names begin with this one's, itself left out.
    func companions() async throws -> [String] {
        try await ask("SELECT datname FROM pg_database WHERE datname LIKE '\(name)\\_\\_%' ORDER BY 1").split(separator: "\n").map(
            String.init)
    }

    var store: String { place.path("state/belay/backups/default.shop") }

    func files() throws -> [String] {
        guard FileManager.default.fileExists(atPath: store) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: store).sorted()
    }
}
