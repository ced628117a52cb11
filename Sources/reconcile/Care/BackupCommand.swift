import ArgumentParser
import JSONValues
import Migrations
import Model
import Planning
import Reporting
import TextLayout

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Takes, lists and proves backups of a database.",
        discussion: """
            Migrations that lose something save what they lose by themselves. These commands
            are for whole databases, and for finding out whether a backup is worth something.

              reconcile backup create -f system.yaml         save all of it now
              reconcile backup list -f system.yaml           what there is, and what of it is proved
              reconcile backup verify -f system.yaml         restore the newest into a scratch database
              reconcile backup prune --keep 5 -f system.yaml

            Backups are kept in the folder backups of the state directory, for their owner alone.
            PostgreSQL is saved with its own pg_dump, which must be as new as the server.
            """,
        subcommands: [
            BackupCreateCommand.self, BackupListCommand.self, BackupVerifyCommand.self, BackupPruneCommand.self,
        ])
}

struct BackupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Saves a whole database, and sees that what was written can be read.",
        discussion: """
            The database goes on being used meanwhile; migrations wait. Refused without room for
            half as much again as the tables take. Interrupted, it leaves a partial file that the
            next backup removes.

            Exit codes: 0 saved; 1 failed, and nothing is left; 3 somebody else works on the
            system or the database.
            """)

    @OptionGroup var options: CareOptions

    func run() async throws {
        throw await options.answer("reconcile backup create", list: "BackupList", making: true) { work throws(Problem) in
            let manifest = try await work.alone { (_) throws(Problem) in try await work.care.create(progress: work.progress) }
            let tables = manifest.ownTables.count
            let style = work.program.output.style
            return DatabaseAnswer(
                text: """
                    \(style.green("✔")) \(style.bold(manifest.id.description)): \(ByteCount(manifest.bytes)), \(tables) tables, \
                    \(manifest.rows) rows, \(manifest.applied.last.map { "at \($0)" } ?? "before any migration")
                      \(work.care.store.dump(manifest).printable)
                      not proved yet: reconcile backup verify \(manifest.id)

                    """, json: manifest.facts(in: work.care.store), verdict: .inSync)
        }
    }
}

struct BackupVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Restores a backup into a scratch database and compares it with what was saved.",
        discussion: """
            Compares the dump's SHA-256, the schema and the number of rows of every table. The
            scratch database is dropped afterwards, and by the next verify when this one is
            killed. The live database is only read. The proof is recorded with the backup.

            Exit codes: 0 proved; 1 not proved, with what differs.
            """)

    @Argument(help: "The backup's id; the newest of the whole database when it is left out.")
    var id: String?

    @OptionGroup var options: CareOptions

    func run() async throws {
        throw await options.answer("reconcile backup verify", list: "BackupList", making: false) { work throws(Problem) in
            let manifest = try await work.care.chosen(id)
            let proved = try await work.care.prove(manifest, progress: work.progress)
            let style = work.program.output.style
            let report = proved.report ?? BackupManifest.Report(isProved: false)
            var text =
                proved.isProved
                ? "\(style.green("✔")) \(style.bold(proved.id.description)) is proved: it was restored and is what was saved\n"
                : "\(style.red("✘")) \(style.bold(proved.id.description)) is not proved\n"
            for line in report.lines { text += "  \(line.printable)\n" }
            for line in report.differences { text += "  \(style.red(line.printable))\n" }
            text += "  took \(Seconds(report.milliseconds))\n"
            if !proved.isProved { text += "  " + style.cyan("→ take a new backup: reconcile backup create") + "\n" }
            return DatabaseAnswer(text: text, json: proved.facts(in: work.care.store), verdict: proved.isProved ? .inSync : .failure)
        }
    }
}

extension DatabaseCare {
    /// The backup that a command names; the newest whole one for nil and `latest`.
    func chosen(_ id: String?) async throws(Problem) -> BackupManifest {
        guard let id, id != "latest" else { return try await newestWhole() }
        guard let parsed = BackupID(id) else {
            throw Problem("BackupNotFound", "\(id) is not the id of a backup", next: "see reconcile backup list for those that are")
        }
        return try await backup(parsed)
    }
}

/// Milliseconds for people: `850 ms`, `12.4 s`.
struct Seconds: CustomStringConvertible {
    private let milliseconds: Int

    init(_ milliseconds: Int) { self.milliseconds = milliseconds }

    var description: String { milliseconds < 1000 ? "\(milliseconds) ms" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }
}
