internal import Model
internal import SQL
internal import State

extension StateError {
    /// What a database said, as the state's own error.
    /// - Parameter what: `cannot be read`.
    init(_ error: SQLError, _ what: String, in database: ResourceID) {
        let message = "the state in \(database) \(what): \(error.message)"
        switch error.code {
        case .unreachable, .lost:
            self.init(.unreachable, message, next: "check that it runs and that its address is right")
        case .refusedLogin:
            self.init(.unreachable, message, next: "check user, password and database in its address")
        case .misconfigured:
            self.init(.noPlace, message, next: error.hint ?? "check the database's address in the spec")
        case .cancelled:
            self.init(.interrupted, message)
        case .statement:
            switch error.sqlState {
            case "42501", "SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_PERM", "SQLITE_AUTH":
                self.init(.notPermitted, message, next: "give the role its rights on the tables of the state; docs/state.md lists them")
            case "25006":
                self.init(.notPermitted, message, next: "give the address of the primary server, and a role that may write")
            case "53100", "SQLITE_FULL":
                self.init(.noSpace, message, next: "make room where the database is, or keep the state elsewhere with --state DIR")
            default:
                self.init(.failed, message, next: error.hint ?? "see what the database says; --state DIR keeps the state elsewhere")
            }
        }
    }
}

extension SQLError {
    /// True if the query failed because the table, or its schema, is not there.
    var meansNoTable: Bool {
        code == .statement && (sqlState == "42P01" || sqlState == "3F000" || message.contains("no such table"))
    }

    /// True if a row with this key is there already.
    var meansTaken: Bool { code == .statement && (sqlState == "23505" || (sqlState?.hasPrefix("SQLITE_CONSTRAINT") ?? false)) }

    /// True if somebody else was writing a SQLite file all the time.
    var meansBusy: Bool { code == .statement && (sqlState?.hasPrefix("SQLITE_BUSY") ?? false) }

    /// True if the server took the transaction back for another's sake: it may be sent again.
    var meansAgain: Bool { code == .statement && (sqlState == "40001" || sqlState == "40P01") }

    /// True if the statement may have taken effect all the same.
    var leavesOpen: Bool { code == .lost || code == .cancelled }
}
