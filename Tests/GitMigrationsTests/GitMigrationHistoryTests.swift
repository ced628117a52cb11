import FoundationEssentials
import GitMigrations
import MigrationFiles
import Migrations
import Model
import ProviderKit
import SQLParsing
import TestPrograms
import Testing

/// Down scripts out of a real repository.
@Suite(.timeLimit(.minutes(2))) struct GitMigrationHistoryTests {
    private let place: Place

    init() async throws {
        place = try Place()
        try await place.git("init", "-q", "-b", "main")
        try place.write("system.yaml", "#\n")
        try write("1_a", "CREATE TABLE a (id integer);", "DROP TABLE a;")
        _ = try await place.commit("a")
    }

    private func write(_ stem: String, _ up: String, _ down: String) throws {
        try place.write("db/\(stem).sql", "-- migrate:up\n\(up)\n-- migrate:down\n\(down)\n")
    }

    private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: place.path("db/\(name)")) }

    private func history(_ root: String? = nil, format: String? = nil) -> GitMigrationHistory {
        GitMigrationHistory(
            Database(name: "main", schema: "1_a", migrations: MigrationSettings(path: (root ?? place.root) + "/db", format: format)))
    }

    /// The script without its line ends.
    private func down(
        _ version: String, _ upHash: String?, path: String? = nil, in history: GitMigrationHistory? = nil
    ) async -> (text: String, commit: String)? {
        let found = await (history ?? self.history()).down(of: version, path: path, upHash: upHash)
        return found.map { ($0.script.text.split(separator: "\n").joined(separator: "\n"), $0.commit) }
    }

    /// What Belay records of an up script that it applies: the hash of what it read in the file.
    private func recorded(_ up: String) throws -> String {
        try recorded([("1_x.sql", "-- migrate:up\n\(up)\n-- migrate:down\nDROP TABLE x;\n")], "dbmate")
    }

    private func recorded(_ files: [(String, String)], _ format: String?) throws -> String {
        let sources = files.map { MigrationSource(path: $0.0, bytes: Array($0.1.replacing("UP", with: second).utf8)) }
        let format = format.flatMap { MigrationFormat(rawValue: $0) }
        let directory = try MigrationDirectory(reading: sources, format: format, order: nil, dialect: .sqlite)
        return ArchiveSignature.hash(try #require(directory.migrations.first).up.text)
    }

    private let second = "CREATE TABLE b (id integer);"

    @Test func aDeletedFilesWayBackIsTheOneOfTheScriptThatWasApplied() async throws {
        try write("2_b", second, "DROP TABLE b;")
        let commit = try await place.commit("b")
        // The same name was another migration later, before it went away.
        try write("2_b", "CREATE TABLE c (id integer);", "DROP TABLE c;")
        _ = try await place.commit("c instead")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        let found = try #require(try await down("2_b", recorded(second)))
        #expect(found.text == "DROP TABLE b;")
        #expect(found.commit == commit)
        #expect(try await place.git("status", "--porcelain") == "", "nothing is changed by looking")
    }

    @Test func whatIsRememberedIsLookedForAgainOnceTheHistoryIsAnother() async throws {
        let database = Database(name: "main", schema: "1_a", migrations: MigrationSettings(path: place.root + "/db"))
        let history = GitMigrationHistory(database, answers: GitAnswers())
        let applied = try recorded("CREATE TABLE a (id integer);")
        #expect(await down("1_a", applied, in: history)?.text == "DROP TABLE a;")
        #expect(await down("1_a", applied, in: history)?.text == "DROP TABLE a;")
        try write("1_a", "CREATE TABLE a (id integer);", "DROP TABLE IF EXISTS a;")
        _ = try await place.commit("mended")
        #expect(await down("1_a", applied, in: history)?.text == "DROP TABLE IF EXISTS a;")
    }

    @Test func anotherUpScriptThanTheOneThatWasAppliedIsNotUsed() async throws {
        try write("2_b", second, "DROP TABLE b;")
        _ = try await place.commit("b")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        #expect(try await down("2_b", recorded("CREATE TABLE x (id integer);")) == nil)
        #expect(await down("2_b", "") == nil)
        #expect(try await down("3_c", recorded(second)) == nil, "another version's file is not its own")
    }

    @Test func withoutAHashOnlyWhatIsCertainIsUsed() async throws {
        try write("2_b", second, "DROP TABLE b;")
        _ = try await place.commit("b")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        #expect(await down("2_b", nil)?.text == "DROP TABLE b;", "there never was another one")
        try write("2_b", second, "DROP TABLE IF EXISTS b;")
        _ = try await place.commit("again, with another way back")
        try remove("2_b.sql")
        _ = try await place.commit("gone again")
        #expect(await down("2_b", nil) == nil, "which of the two it was nobody knows")
    }

    @Test func theOwnBranchComesBeforeOthersAndOthersCome() async throws {
        try write("2_b", second, "DROP TABLE b;")
        _ = try await place.commit("b")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        try await place.git("checkout", "-q", "-b", "other")
        try write("2_b", second, "DROP TABLE everything;")
        try write("3_c", "CREATE TABLE c (id integer);", "DROP TABLE c;")
        _ = try await place.commit("on another branch")
        try await place.git("checkout", "-q", "main")
        #expect(try await down("2_b", recorded(second))?.text == "DROP TABLE b;")
        #expect(try await down("3_c", recorded("CREATE TABLE c (id integer);"))?.text == "DROP TABLE c;", "it was applied from there")
    }

    @Test func aShallowCloneSaysSoAndGuessesNothing() async throws {
        try write("2_b", second, "DROP TABLE b;")
        _ = try await place.commit("b")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        try await place.git("clone", "-q", "--depth", "1", "file://\(place.root)", place.path("clone"))
        let shallow = history(place.path("clone"))
        #expect(await shallow.isShallow)
        #expect(await !history().isShallow)
        #expect(try await down("2_b", recorded(second), in: shallow) == nil)
        // Cut off behind the commit that has it.
        try await place.git("clone", "-q", "--depth", "2", "file://\(place.root)", place.path("deeper"))
        #expect(try await down("2_b", recorded(second), in: history(place.path("deeper")))?.text == "DROP TABLE b;", "its hash is certain")
        #expect(await down("2_b", nil, in: history(place.path("deeper"))) == nil, "there may have been another one")
    }

    @Test func outsideOfARepositoryThereIsNone() async throws {
        let other = try Place()
        try other.write("db/1_a.sql", "-- migrate:up\nSELECT 1;\n")
        #expect(await down("1_a", nil, in: history(other.root)) == nil)
        #expect(await !history(other.root).isShallow)
        try other.remove()
    }

    struct Layout: Sendable {
        var files: [(String, String)]
        var version: String
        var path: String?
        var format: String?
        var why: String
    }

    private static let diesel = [("2024-06-11-093000_b/up.sql", "UP\n"), ("2024-06-11-093000_b/down.sql", "DROP TABLE b;\n")]

    @Test(arguments: [
        Layout(
            files: [("2_b.up.sql", "UP\n"), ("2_b.down.sql", "DROP TABLE b;\n")], version: "2_b", format: "golang-migrate", why: "two files"
        ),
        Layout(
            files: [("2_b.up.sql", "UP\n"), ("2_b.down.sql", "DROP TABLE b;\n")], version: "2", format: "golang-migrate",
            why: "the tool's table knows the number alone"),
        Layout(
            files: [("00002_b.sql", "-- +goose Up\nUP\n-- +goose Down\nDROP TABLE b;\n")], version: "2", format: "goose",
            why: "and without the zeros"),
        Layout(files: diesel, version: "2024-06-11-093000_b", path: "2024-06-11-093000_b/up.sql", why: "a folder each"),
        Layout(files: diesel, version: "20240611093000", why: "which the tool's table knows by its digits"),
        Layout(files: [("2_b.sql", "-- migrate:up\nUP\n-- migrate:down\nDROP TABLE b;\n")], version: "2_b", format: nil, why: "detected"),
    ]) func everyLayoutOfFilesIsRead(_ layout: Layout) async throws {
        let other = try Place()
        try await other.git("init", "-q", "-b", "main")
        try other.write("db/keep.txt", "")
        for (name, text) in layout.files {
            try other.write("db/\(name)", text.replacing("UP", with: second))
        }
        _ = try await other.commit("b")
        for (name, _) in layout.files { try FileManager.default.removeItem(atPath: other.path("db/\(name)")) }
        _ = try await other.commit("gone")
        let history = history(other.root, format: layout.format)
        #expect(
            try await down(layout.version, recorded(layout.files, layout.format), path: layout.path, in: history)?.text == "DROP TABLE b;",
            "\(layout.why)")
        try other.remove()
    }

    // MARK: Through the driver

    private var database: Database {
        Database(
            name: "main", connection: .sqlite(place.path("shop.sqlite")), schema: "1_a",
            migrations: MigrationSettings(path: place.path("db")))
    }

    private func observe(_ database: Database) async -> DatabaseObservation {
        let driver = MigrationsDriver(history: { GitMigrationHistory($0) }, address: { _, _ in .success(Secret("")) })
        return await driver.observe(
            database,
            SchemaRequest(
                system: SystemID(name: "shop"), revision: Revision(.commit, String(repeating: "a", count: 40)), run: "r1", actor: "test",
                key: [7], backups: place.path("backups")))
    }

    @Test func whatFileAndArchiveHaveLostComesFromHistory() async throws {
        try write("2_b", second, "DROP TABLE b;")
        let commit = try await place.commit("b")
        try remove("2_b.sql")
        _ = try await place.commit("gone")
        // As dbmate left it, before Belay ever came: there is no archive.
        let applied = try await BuiltProgram(onSearchPath: "sqlite3").run([
            place.path("shop.sqlite"),
            "CREATE TABLE schema_migrations (version varchar(128) primary key); INSERT INTO schema_migrations VALUES ('1'), ('2'); "
                + "CREATE TABLE a (id integer); CREATE TABLE b (id integer);",
        ])
        try #require(applied.status == 0, "\(applied.errors)")
        let observation = await observe(database)
        let script = observation.migrations.first { $0.version.hasPrefix("2") }?.downScript
        #expect(script?.origin == .git(commit: commit), "\(observation)")
        #expect(observation.blockers.isEmpty, "\(observation.blockers)")

        var block = database
        block.migrations.onMissing = .block
        #expect(await observe(block).migrations.first { $0.version.hasPrefix("2") }?.downScript == nil)

        try await place.git("clone", "-q", "--depth", "1", "file://\(place.root)", place.path("clone"))
        var shallow = database
        shallow.migrations.path = place.path("clone/db")
        #expect(await observe(shallow).blockers.map(\.reason) == ["ShallowHistory"])
    }
}
