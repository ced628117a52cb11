internal import Model
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// Runs a statement that took effect before an interruption once more where its effect was on the session, which has ended since: what
    /// follows may mean another table without it. Returns what stands in the way.
    func repeatForSession(_ job: MigrationJob, _ index: Int, _ connection: any SQLConnection) async throws(SQLError) -> Problem? {
        let statement = job.facts.statements[index]
        let word = statement.text.prefix { $0.isLetter }.lowercased()
        let isOfSQLite = archive.engine == .sqlite && ["pragma", "attach", "detach"].contains(word)
        guard isOfSQLite || Self.changesSession([statement]) != nil else { return nil }
        switch word {
        case _ where isOfSQLite: break
        case "set", "reset", "discard", "listen", "unlisten", "load", "prepare", "create": break
        case "select" where job.facts.facts[index].losses.isEmpty: break
        // The name of a function in a value, most likely; and if it is called, rows were written with it.
        case "insert", "update", "delete", "merge": return nil
        default:
            return job.problem(
                SQLError(
                    .statement, "it changed the session that was interrupted, and nobody can tell what else it would do a second time",
                    hint: "take the migration back with reconcile migrate resolve \(job.version) --undo, and set what it needs by SET"),
                at: index, position: nil
            ).renamed("SessionNotRestored")
        }
        try await connection.execute(statement.text)
        // As after its first run.
        if archive.engine == .postgres { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE") }
        return nil
    }
}
