import Model
import SQL
import Testing

@testable import Migrations

/// What helps where a database is a file.
struct FileProblemTests {
    @Test(arguments: [
        (SQLError.Code.unreachable, "SQLITE_CANTOPEN", "DatabaseUnreachable", "may read and write the file", "a file that may not be read"),
        (.misconfigured, "SQLITE_CANTOPEN_DIRTYWAL", "DatabaseUnreachable", "may read and write the file", "the same, found later"),
        (.statement, "SQLITE_READONLY_DIRECTORY", "DatabaseReadOnly", "keeps its journal beside the file", "a directory without the right"),
        (.statement, "SQLITE_BUSY", "LockTimeout", "another program has the file open", "a reader that does not end"),
        (.statement, "SQLITE_CONSTRAINT_UNIQUE", "StatementFailed", "see what the database says", "nothing of the file's"),
    ]) func theAdviceFitsAFile(_ code: SQLError.Code, _ result: String, _ reason: String, _ next: String, _ why: Comment) {
        let problem = Problem(
            Database(name: "main", connection: .sqlite("shop.db"), schema: "none"), SQLError(code, "shop.db: no", sqlState: result))
        #expect(problem.reason == reason, why)
        #expect(problem.next?.contains(next) == true, "\(why): \(problem.next ?? "")")
    }
}
