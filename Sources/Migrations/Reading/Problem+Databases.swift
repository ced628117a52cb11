import MigrationFiles
import Model
import SQL

extension Problem {
    /// What a server or a file of a database said.
    init(_ database: Database, _ error: SQLError) {
        let (reason, next): (String, String?) =
            switch error.code {
            case .unreachable: ("DatabaseUnreachable", "check that it runs and that the address is right")
            case .refusedLogin: ("LoginRefused", "check user, password and database in the address")
            case .misconfigured: ("DatabaseMisconfigured", error.hint)
            case .lost: ("ConnectionLost", "run it again; the database itself says what took effect")
            case .cancelled: ("Interrupted", "run it again")
            case .statement: ("StatementFailed", error.hint ?? "see what the database says")
            }
        let ofFile = error.fileProblem
        // What could not be read of the spec's own references is named already.
        let place = error.message.hasPrefix("\(database.id)") ? "" : "\(database.id): "
        self.init(
            ofFile?.reason ?? reason, place + error.message + (error.detail.map { " (\($0))" } ?? ""), next: ofFile?.next ?? next)
    }

    /// Every mistake in a directory of migrations.
    init(_ database: Database, _ error: MigrationFileErrors, _ path: String) {
        let lines = error.mistakes.map { mistake in
            // What is wrong with the directory itself names it already.
            if mistake.path.isEmpty, mistake.message.hasPrefix(path) { return mistake.message }
            let place = [
                mistake.path.isEmpty ? path : "\(path)/\(mistake.path)", mistake.line.map(String.init), mistake.column.map(String.init),
            ]
            return place.compactMap(\.self).joined(separator: ":") + ": \(mistake.message)"
        }
        self.init(
            error.mistakes.first?.reason ?? "MigrationsUnreadable", "\(database.id): \(lines.joined(separator: "\n"))",
            next: "mend the migrations")
    }

    static func scriptMissing(_ change: MigrationChange, _ database: Database) -> Problem {
        Problem(
            "ScriptMissing", "\(database.id): there is no script any more to \(change.isUp ? "apply" : "take back") \(change.version)",
            next: "restore its file; nothing was run")
    }

    static func unadopted(_ database: Database, _ table: String) -> Problem {
        Problem(
            "UnadoptedDatabase",
            "\(database.id): the database has tables, and \(table) records no migration: this may be the wrong migrations table",
            next: "set migrations.table or migrations.format to what records them; if nothing does, set migrations.baseline to the last "
                + "migration that is applied")
    }
}

extension SQLError {
    /// What is wrong with the file of a SQLite database rather than with a statement, and what helps; nil for everything else.
    var fileProblem: (reason: String, next: String)? {
        guard code != .cancelled, let result = sqlState else { return nil }
        func isOne(of kinds: String...) -> Bool { kinds.contains { result.hasPrefix("SQLITE_\($0)") } }
        if isOne(of: "READONLY") {
            return (
                "DatabaseReadOnly",
                "give the user who runs this the right to write the file and its directory: SQLite keeps its journal beside the file"
            )
        }
        if isOne(of: "CANTOPEN", "PERM", "AUTH", "IOERR_ACCESS") {
            return (
                "DatabaseUnreachable",
                "check that the file's directory is there, and that the user who runs this may read and write the file and its directory"
            )
        }
        if isOne(of: "BUSY", "LOCKED") {
            return ("LockTimeout", "another program has the file open in a transaction: let it end, or stop it, and run this again")
        }
        if isOne(of: "NOTADB") { return ("DatabaseMisconfigured", "check the path: the file is no SQLite database, or is encrypted") }
        return nil
    }
}
