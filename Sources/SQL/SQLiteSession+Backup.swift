internal import CSQLite

extension SQLiteSession {
    /// Copies the database as it is now.
    func backup(to target: String) throws(SQLError) {
        // One transaction holds the moment: a write of somebody else would otherwise begin the copy anew, again and again.
        guard sqlite3_txn_state(handle, "main") != SQLITE_TXN_WRITE else {
            throw SQLError(.statement, "\(path): no copy is possible while a transaction that writes is open", sqlState: "SQLITE_LOCKED")
        }
        let isOwn = transaction == .idle
        if isOwn { try run("BEGIN; SELECT 1 FROM sqlite_schema") }
        let copied: Result<Void, SQLError>
        do throws(SQLError) { copied = .success(try copy(to: target)) } catch { copied = .failure(error) }
        if isOwn { try run("ROLLBACK", heedsCancellation: false) }
        try copied.get()
    }

    private func copy(to target: String) throws(SQLError) {
        let other = try SQLiteSession(target, .create, busy: busy)
        guard let backup = sqlite3_backup_init(other.handle, "main", handle, "main") else { throw other.failure() }
        var code = SQLITE_OK
        var waited = 0
        while code == SQLITE_OK || (code & 0xFF == SQLITE_BUSY && .milliseconds(waited) < busy) {
            if Task.isCancelled {
                // The target's own journal takes back what was copied.
                sqlite3_backup_finish(backup)
                throw SQLError(.cancelled, "\(path): the copy was cancelled")
            }
            code = sqlite3_backup_step(backup, 256)
            guard code & 0xFF == SQLITE_BUSY else { continue }
            sqlite3_sleep(20)
            waited += 20
        }
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else {
            throw SQLError(
                .statement, "\(target): the copy failed: \(String(cString: sqlite3_errstr(code)))",
                sqlState: SQLiteResultCode.name(of: code))
        }
    }
}
