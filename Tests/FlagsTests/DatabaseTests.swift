import Flags
import Model
import SQL
import TestPrograms
import Testing

/// Sessions with the databases that a spec names.
@Suite struct DatabaseTests {
    private static func problem(_ database: Database, named name: String = "main", address: Result<Secret, Problem>) async -> Problem? {
        let connect = FlagDatabases { _, _ in address }.connector(of: [database])
        switch await connect(name) {
        case .success(let connection):
            await connection.close()
            return nil
        case .failure(let problem): return problem
        }
    }

    private static func postgres(_ url: String) -> Result<Secret, Problem> { .success(Secret(url)) }
    private static let main = Database(name: "main", connection: .postgres(url: .environment("DATABASE_URL"), direct: nil), schema: "none")

    @Test func aDatabaseThatTheSpecDoesNotNameIsAnError() async {
        #expect(await Self.problem(Self.main, named: "other", address: Self.postgres(""))?.reason == "NoDatabase")
    }

    @Test func anAddressThatCannotBeReadIsTold() async {
        let missing = Problem("ValueMissing", "database/main: its address should come from the variable DATABASE_URL, which is not set")
        #expect(await Self.problem(Self.main, address: .failure(missing)) == missing)
    }

    @Test func noErrorHoldsThePassword() async {
        let away = await Self.problem(Self.main, address: Self.postgres("postgres://app:hunter2secret@127.0.0.1:1/shop"))
        #expect(away?.reason == "DatabaseUnreachable" && away?.description.contains("hunter2secret") == false)
        let unreadable = await Self.problem(Self.main, address: Self.postgres("postgres://app:hunter2secret@:@/"))
        #expect(unreadable?.reason == "DatabaseMisconfigured" && unreadable?.description.contains("hunter2secret") == false)
    }

    @Test func aFileThatIsNotThereIsNotMade() async throws {
        let place = try Place()
        let database = Database(name: "main", connection: .sqlite(place.path("app.db")), schema: "none")
        let problem = await Self.problem(database, address: Self.postgres(""))
        #expect(problem?.reason == "DatabaseMissing", "its first migration makes it, and not a look at its flags")
        #expect(await Self.problem(database, address: Self.postgres(""))?.reason == "DatabaseMissing")
        try place.remove()
    }
}
