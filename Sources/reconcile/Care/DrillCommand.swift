import ArgumentParser
import JSONValues
import Migrations
import Model
import Planning
import TextLayout

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Rehearses a way of migrations on a copy, there and back, and compares the schemas.",
        discussion: """
            Restores the newest backup into a scratch database, runs the migrations from there to
            the pin as a pass would, takes them back, runs them again, and compares the schema
            after every one of them. The live database is not touched and no lock is taken, so
            that a drill is never in the way of a rollback. The result is shown by status.

              reconcile drill -f system.yaml               to the pin of the spec
              reconcile drill -f system.yaml --to none     all the way down
              reconcile drill -f system.yaml --fresh       on a backup that is taken now

            Where the backup stands at the pin, its last migration is taken back and applied again.

            Exit codes: 0 every way back restores what was there; 1 one does not, or it failed.
            """)

    @Option(help: ArgumentHelp("The schema to go to; the spec's pin when it is left out.", valueName: "pin"))
    var to: String?

    @Option(help: ArgumentHelp("The backup to begin with; the newest of the whole database when it is left out.", valueName: "id"))
    var backup: String?

    @Flag(help: "Take a backup now, and begin with that.")
    var fresh = false

    @OptionGroup var options: CareOptions

    func validate() throws {
        if fresh, backup != nil { throw ValidationError("--fresh and --backup exclude each other.") }
    }

    func run() async throws {
        throw await options.answer("reconcile drill", list: "DrillReportList", making: fresh) { work throws(Problem) in
            try await requireKnownPin(work)
            let manifest: BackupManifest
            if fresh {
                manifest = try await work.alone { (_) throws(Problem) in try await work.care.create(progress: work.progress) }
            } else {
                do throws(Problem) { manifest = try await work.care.chosen(backup) } catch {
                    guard backup == nil, error.reason == "BackupNotFound" else { throw error }
                    throw Problem(error.reason, error.message, next: "take one now and begin with it: --fresh")
                }
            }
            let system = work.system.id
            let report = try await work.care.drill(
                to: to, from: manifest,
                way: { database, observation in
                    let (changes, blocked) = migrationWay(system, database, observation)
                    return blocked.map { .failure($0) } ?? .success(changes)
                }, progress: work.progress)
            return DatabaseAnswer(
                text: Self.text(report, work), json: report.json, verdict: report.isPassed ? .inSync : .failure)
        }
    }

    /// Before anything is restored. What the database cannot be asked now is found out on the copy.
    private func requireKnownPin(_ work: DatabaseWork) async throws(Problem) {
        guard let to else { return }
        let observation = await work.care.observe()
        guard observation.applied != nil else { return }
        _ = try SchemaPin(to, among: observation.migrations).position(of: work.database.id).get()
    }

    private static func text(_ report: DrillReport, _ work: DatabaseWork) -> String {
        let style = work.program.output.style
        let mark = report.isPassed ? style.green("✔") : style.red("✘")
        let end = report.isPassed ? "passed" : "failed"
        var text = "\(mark) \(style.bold("drill of \(work.database.id) \(end)"))"
        if !report.to.isEmpty { text += ": from \(report.from.printable) to \(report.to.printable) and back" }
        text += "\n  on the backup \(report.backup)"
        if let restored = report.millisecondsRestored { text += ", restored in \(Seconds(restored))" }
        text += "; \(Seconds(report.milliseconds)) in all\n"
        for line in report.notes { text += "  \(line.printable)\n" }
        if !report.migrations.isEmpty {
            var table = TextTable(header: ["MIGRATION", "WAY", "RESULT", "THERE", "BACK", "AGAIN"], style: style, indent: 2)
            for migration in report.migrations {
                func time(_ value: Int?) -> TextTable.Cell { .init(value.map { Seconds($0).description } ?? "-") }
                let (word, colour): (String, @Sendable (String) -> String) =
                    switch migration.result {
                    case .exact: ("exact", style.green)
                    case .inexact: ("inexact", style.red)
                    case .failed: ("failed", style.red)
                    case .oneWay: ("one way", style.yellow)
                    case .notReached: ("not reached", style.dim)
                    }
                table.add([
                    .init(migration.version), .init(migration.isUp ? "up" : "down"), .init(word, colour), time(migration.millisecondsThere),
                    time(migration.millisecondsBack), time(migration.millisecondsAgain),
                ])
            }
            text += table.rendered()
        }
        for migration in report.migrations {
            let lines: [String] =
                switch migration.result {
                case .inexact(let lines): lines
                case .failed(let why), .oneWay(let why): [why]
                case .exact, .notReached: []
                }
            guard !lines.isEmpty else { continue }
            text += "  \(style.bold(migration.version.printable))\n"
            for line in lines { text += "    \(line.printable)\n" }
        }
        if let problem = report.problem {
            text += "  \(problem.message.printable)\n"
            if let next = problem.next { text += "  " + style.cyan("→ \(next.printable)") + "\n" }
        } else if !report.isPassed {
            text += "  " + style.cyan("→ mend the way back of what is told before it is needed") + "\n"
        }
        return text
    }
}
