import ArgumentParser
import JSONValues
import Migrations
import Model
import Planning
import Reporting
import TextLayout

struct BackupListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the backups of a database, newest first.",
        discussion: """
            KIND is full for the whole database, scoped for the tables that a migration was about
            to change. BEFORE names that migration, or the restore that a backup was taken before.
            PROVED tells when a restore of it was last tried and found equal.

            Exit code 0, also when there is none; 1 when one of them is damaged.
            """)

    @OptionGroup var options: CareOptions

    func run() async throws {
        throw await options.answer("reconcile backup list", list: "BackupList", making: false) { work throws(Problem) in
            let entries = try await work.care.backups()
            let place = work.care.store.path
            let items = entries.map { Self.facts(of: $0, in: work.care.store) }
            let isWhole = entries.allSatisfy { if case .damaged = $0 { false } else { true } }
            return DatabaseAnswer(
                text: entries.isEmpty
                    ? "there is no backup of \(work.database.id) in \(place.printable); take one with reconcile backup create\n"
                    : Self.text(entries, in: place, work.program.output.style),
                json: ["database": .string(work.database.name), "directory": .string(place), "backups": .array(items)],
                verdict: isWhole ? .inSync : .failure)
        }
    }

    private static func text(_ entries: [BackupStore.Entry], in place: String, _ style: TextStyle) -> String {
        var table = TextTable(header: ["ID", "KIND", "TAKEN", "SIZE", "TABLES", "BEFORE", "PROVED"], style: style)
        var damaged: [String] = []
        for entry in entries {
            switch entry {
            case .backup(let manifest):
                let before = manifest.beforeVersion ?? manifest.beforeRestore.map { "restore \($0)" } ?? "-"
                let isBad = manifest.verifiedAt != nil && !manifest.isProved
                let proof = manifest.verifiedAt.map { "\(isBad ? "failed " : "")\($0.wholeSecond)" } ?? "never"
                table.add([
                    TextTable.Cell(manifest.id.description), TextTable.Cell(manifest.kind.rawValue),
                    TextTable.Cell(manifest.taken.wholeSecond.description), TextTable.Cell(ByteCount(manifest.bytes).description),
                    TextTable.Cell(tables(manifest)), TextTable.Cell(before),
                    isBad ? TextTable.Cell(proof, style.red) : TextTable.Cell(proof),
                ])
            case .damaged(let id, let problem):
                table.add([TextTable.Cell(id.description), TextTable.Cell("damaged", style.red)])
                damaged.append(problem.description)
            }
        }
        var text = table.rendered()
        for line in damaged { text += style.red(line.printable) + "\n" }
        return text + style.dim("in \(place.printable)") + "\n"
    }

    private static func facts(of entry: BackupStore.Entry, in store: BackupStore) -> JSON {
        switch entry {
        case .backup(let manifest): return manifest.facts(in: store)
        case .damaged(let id, let problem):
            return [
                "id": .string(id.description), "damaged": true,
                "problem": ["reason": .string(problem.reason), "message": .string(problem.message), "next": .optional(problem.next)],
            ]
        }
    }

    private static func tables(_ manifest: BackupManifest) -> String {
        let names = manifest.ownTables.map { $0.name.schema == "public" || $0.name.schema == "main" ? $0.name.name : $0.name.description }
        return manifest.kind == .scoped && names.count <= 2 ? names.joined(separator: ", ") : String(names.count)
    }
}

extension BackupManifest {
    /// One backup in `-o json`.
    func facts(in store: BackupStore) -> JSON {
        func count(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
        return [
            "id": .string(id.description), "system": .string(system), "database": .string(database), "kind": .string(kind.rawValue),
            "engine": .string(engine.rawValue), "engineVersion": .string(engineVersion), "taken": .string(taken.description),
            "bytes": .integer(bytes), "sha256": .string(sha256), "path": .string(store.dump(self)),
            "applied": .array(applied.map(JSON.string)), "beforeVersion": .optional(beforeVersion),
            "beforeRestore": .optional(beforeRestore?.description), "fingerprint": .optional(fingerprint), "run": .string(run),
            "tables": .array(
                tables.map {
                    ["schema": .string($0.name.schema), "name": .string($0.name.name), "rows": count($0.rows), "bytes": .integer($0.bytes)]
                }),
            "verifiedAt": .optional(verifiedAt?.description), "proved": .bool(isProved),
            "report": report.map { report in
                [
                    "lines": .array(report.lines.map(JSON.string)), "differences": .array(report.differences.map(JSON.string)),
                    "milliseconds": .integer(report.milliseconds),
                ]
            } ?? .null,
        ]
    }
}

struct BackupPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Removes old backups of a database.",
        discussion: """
            Keeps the newest ones of each kind, and always the newest that is proved. Without --yes
            it only says what would go.

            Exit codes: 0 removed, or nothing to remove; 2 something would be removed.
            """)

    @Option(help: ArgumentHelp("How many of each kind are kept.", valueName: "count"))
    var keep: Int

    @Flag(help: "Remove them.")
    var yes = false

    @OptionGroup var options: CareOptions

    func validate() throws {
        guard keep >= 1 else { throw ValidationError("--keep needs a number of at least 1: the last backup is never removed.") }
    }

    func run() async throws {
        throw await options.answer("reconcile backup prune", list: "BackupPruneList", making: false) { work throws(Problem) in
            let gone = try await work.care.superfluous(keeping: keep)
            if yes {
                try await work.alone { (_) throws(Problem) -> Void in for manifest in gone { try await work.care.store.remove(manifest.id) }
                }
            }
            let bytes = gone.reduce(0) { $0 + $1.bytes }
            var text = gone.map { "  \($0.id)  \($0.kind.rawValue)  \(ByteCount($0.bytes))\n" }.joined()
            let what = "\(gone.count == 1 ? "one backup" : "\(gone.count) backups"), \(ByteCount(bytes))"
            text =
                gone.isEmpty
                ? "nothing to remove\n"
                : (yes ? "removed \(what):\n" : "would remove \(what):\n") + text + (yes ? "" : "  → to do it: --yes\n")
            return DatabaseAnswer(
                text: text, json: ["removed": .bool(yes && !gone.isEmpty), "backups": .array(gone.map { .string($0.id.description) })],
                verdict: gone.isEmpty || yes ? .inSync : .changes)
        }
    }
}
