import FoundationEssentials
import SQL
import TestPrograms
import Testing

/// What a writer left that was killed in the middle: its journal beside the file.
@Suite struct HotJournalTests {
    @Test func whoeverOnlyReadsRollsItBackWhereThatIsAllowed() async throws {
        let place = try Place()
        let (live, left) = (place.path("live.db"), place.path("left.db"))
        let writer = try await SQLiteConnection(live, mode: .create)
        try await writer.execute("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept'); PRAGMA cache_size = 5; BEGIN")
        try await writer.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT hex(randomblob(500)) FROM n"
        )
        // The two files as they stand are what a kill leaves.
        for suffix in ["", "-journal"] { try FileManager.default.copyItem(atPath: live + suffix, toPath: left + suffix) }
        try await writer.execute("ROLLBACK")
        await writer.close()
        let reader = try await SQLiteConnection(left, mode: .readOnly)
        #expect(try await reader.query("SELECT count(*) FROM t").scalar == "1")
        await #expect(throws: SQLError.self) { try await reader.execute("DELETE FROM t") }
        await reader.close()
        try place.remove()
    }
}
