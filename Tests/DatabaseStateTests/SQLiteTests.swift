import FoundationEssentials
import Model
import SQL
import State
import StateContract
import Testing

@testable import DatabaseState

/// A SQLite file has one writer at a time, and a migration of the same file may be that for long.
@Suite(.timeLimit(.minutes(2))) struct SQLiteTests {
    @Test func readingMakesNoFile() async throws {
        let stand = try Stand.sqlite()
        #expect(try await stand.store().load() == RecordedState())
        #expect(try await stand.store().holder() == nil)
        #expect(try await stand.store().hashKey(making: false) == nil)
        #expect(!FileManager.default.fileExists(atPath: stand.path))
    }

    @Test func readingADatabaseOfSomebodyElseMakesNoTable() async throws {
        let stand = try Stand.sqlite()
        _ = try await stand.ask("CREATE TABLE orders (id int)")
        #expect(try await stand.store().load() == RecordedState())
        #expect(try await stand.ask("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%belay%'") == "0")
    }

    /// The journal of rollback and the one of write-ahead lock differently.
    @Test(arguments: ["DELETE", "WAL"])
    func aLongMigrationOfTheSameFileCostsTheHolderNothing(_ mode: String) async throws {
        let stand = try Stand.sqlite()
        _ = try await stand.ask("PRAGMA journal_mode = \(mode)")
        let lease = Duration.milliseconds(900)
        try await stand.store(lease: lease).withLock(.make(), clock: ContinuousClock()) { session in
            try await session.append(.accepted("1"), at: .example)
            let migration = try await SQLiteConnection(stand.path)
            try await migration.execute("BEGIN IMMEDIATE; CREATE TABLE big (id int)")
            // Somebody else comes while the holder cannot renew, for several leases.
            let other = Task {
                try await stand.store(lease: lease).lock(.make("bob"), patience: .seconds(4), clock: ContinuousClock())
            }
            try await Task.sleep(for: lease * 3)
            try await migration.execute("COMMIT")
            await migration.close()
            let error = try await stateError { _ = try await other.value }
            #expect(error.code == .locked && error.holder == .make(), "it still is ann's")
            try await session.append(.accepted("2"), at: .example)
        }
        #expect(try await stand.store().history().count == 2)
    }

    @Test func aFileThatIsWrittenAllTheTimeIsSaidToBe() async throws {
        let stand = try Stand.sqlite()
        try await stand.store().lock(.make(), patience: .zero, clock: ContinuousClock()).release()
        let writer = try await SQLiteConnection(stand.path)
        try await writer.execute("BEGIN IMMEDIATE")
        let error = try await stateError {
            _ = try await stand.store(lease: .seconds(1)).lock(.make("bob"), patience: .zero, clock: ContinuousClock())
        }
        #expect(error.code == .locked)
        #expect(error.message == "the state in database/main is locked by another process; somebody is writing the file all the time")
        await writer.close()
    }

    /// A restore puts another file in the place of the one that the session has open.
    @Test func aFileThatWasReplacedIsNotAppendedTo() async throws {
        let stand = try Stand.sqlite()
        let session = try await stand.store().lock(.make(), patience: .zero, clock: ContinuousClock())
        try await session.append(.accepted("1"), at: .example)
        let copy = try await SQLiteConnection(stand.path)
        try await copy.backup(to: stand.path + ".copy")
        await copy.close()
        try await session.append(.accepted("2"), at: .example)
        try FileManager.default.removeItem(atPath: stand.path)
        try FileManager.default.moveItem(atPath: stand.path + ".copy", toPath: stand.path)
        let error = try await stateError { try await session.append(.accepted("3"), at: .example) }
        #expect([.lockLost, .failed, .notPermitted].contains(error.code), "\(error)")
        await session.release()
        #expect(try await stand.store().history().map(\.entry) == [.accepted("1")])
    }

    @Test func whatIsNoDatabaseIsSaid() async throws {
        let stand = try Stand.sqlite()
        try Data("hello, this is a text and not a database at all".utf8).write(to: URL(filePath: stand.path))
        let error = try await stateError { _ = try await stand.store().load() }
        #expect(error.code == .noPlace)
        #expect(error.message == "the state in database/main cannot be read: \(stand.path): file is not a database")
    }
}
