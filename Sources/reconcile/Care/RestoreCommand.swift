import ArgumentParser
import ControlLoop
import FoundationEssentials
import JSONValues
import Migrations
import Model
import Planning
import Reporting
import State
import TextLayout

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Brings a database back to a backup; says first what that means.",
        discussion: """
              reconcile restore latest -f system.yaml          what would be done
              reconcile restore latest -f system.yaml --yes    do it
              reconcile restore --list -f system.yaml          what was restored, and what is kept
              reconcile restore --undo ID -f system.yaml       back to what was there before
              reconcile restore --prune --keep 1 -f …          drop what older restores left

            Nothing is ever restored over a live schema. With --swap, a new database is filled
            beside the live one, compared with what was saved, and takes its name in one commit;
            the former one is kept under another name. With --in-place, one transaction empties
            the database and fills it: for roles that may not make databases. A SQLite file is
            replaced by a checked copy. What is there now is backed up first, always.

            The records of migrations come back with the data: pin the schema of the backup, or
            the next pass migrates forward again. A restore against the pin, in the middle of a
            transition, or once more of the same backup is refused unless forced.

            Interrupted or killed, it changes nothing until its last commit; run again, it carries
            on where it was.

            Exit codes: 0 restored; 1 failed, the database is as it was; 2 it would be done, with
            --yes; 3 refused, or somebody else works on the system or the database.
            """)

    @Argument(help: ArgumentHelp("The id of a backup, latest, or the path of a dump, an SQL script or a SQLite file.", valueName: "backup"))
    var origin: String?

    @Flag(help: "Fill a new database and swap names. The default where the role may make databases.")
    var swap = false

    @Flag(help: "Empty the database and fill it again in one transaction.")
    var inPlace = false

    @Flag(help: "Do it; without it, only what would be done is told.")
    var yes = false

    @Flag(help: "Restore although an open transition, the pin or an earlier restore stands against it, or nothing would be left.")
    var force = false

    @Option(help: ArgumentHelp("Take this restore back.", valueName: "id"))
    var undo: String?

    @Flag(help: "List the restores that left something.")
    var list = false

    @Flag(help: "Drop what was there before older restores: their databases, or files.")
    var prune = false

    @Option(help: ArgumentHelp("How many of them --prune leaves, the newest.", valueName: "count"))
    var keep: Int?

    @OptionGroup var options: CareOptions

    func validate() throws {
        guard [origin != nil, undo != nil, list, prune].count(where: \.self) == 1 else {
            throw ValidationError("Name the backup (an id, latest, or a path), or say --list, --undo ID, or --prune.")
        }
        guard prune == (keep != nil), (keep ?? 0) >= 0 else {
            throw ValidationError("--prune needs --keep COUNT, from 0, and nothing else takes it.")
        }
        if prune, force || swap || inPlace { throw ValidationError("--prune takes --keep and --yes.") }
        guard !(swap && inPlace) else { throw ValidationError("--swap and --in-place exclude each other.") }
        if list, yes || force || swap || inPlace { throw ValidationError("--list only lists.") }
        if undo != nil, swap || inPlace { throw ValidationError("--undo takes back what was done; how is known.") }
        if let undo, BackupID(undo) == nil { throw ValidationError("\(undo) is not the id of a restore; see reconcile restore --list.") }
    }

    func run() async throws {
        if list {
            throw await options.answer("reconcile restore --list", list: "PastRestoreList", making: false) { work throws(Problem) in
                try await past(work)
            }
        }
        if let keep {
            throw await options.answer("reconcile restore --prune", list: "FormerDatabaseList", making: false) { work throws(Problem) in
                try await drop(keeping: keep, work)
            }
        }
        if let id = undo.flatMap({ BackupID($0) }) {
            throw await options.answer("reconcile restore --undo", list: "RestoreList", making: false) { work throws(Problem) in
                try await takeBack(id, work)
            }
        }
        throw await options.answer("reconcile restore", list: "RestoreList", making: true) { work throws(Problem) in
            try await restore(work)
        }
    }

    // MARK: Restoring

    private func restore(_ work: DatabaseWork) async throws(Problem) -> DatabaseAnswer {
        try requireStateElsewhere(work)
        let origin = try await chosen(work)
        let strategy: RestorePlan.Strategy? = swap ? .swap : inPlace ? .inPlace : nil
        guard yes else {
            let plan = try await work.care.planRestore(origin, strategy: strategy)
            let outlook = await SchemaOutlook(after: plan, work)
            let refusals = refusals(plan, try await transition(work), outlook, work)
            return RestoreText(work, options.place).planned(plan, outlook, refusals, isForced: force, again: again)
        }
        return try await work.alone { transition throws(Problem) in
            var plan = try await work.care.planRestore(origin, strategy: strategy)
            plan.allowsNothing = force
            let outlook = await SchemaOutlook(after: plan, work)
            let refusals = refusals(plan, transition, outlook, work)
            if !force, !refusals.isEmpty {
                return RestoreText(work, options.place).planned(plan, outlook, refusals, isForced: false, again: again)
            }
            for problem in refusals { work.progress("forced: \(problem.message)") }
            let result = try await work.care.restore(plan, progress: work.progress)
            return RestoreText(work, options.place).done(result, await SchemaOutlook(now: work))
        }
    }

    /// The command line that was given, without `--yes`.
    private var again: String {
        let how = swap ? " --swap" : inPlace ? " --in-place" : ""
        return "reconcile restore \(origin ?? "")\(how)" + options.place
    }

    private func chosen(_ work: DatabaseWork) async throws(Problem) -> RestorePlan.Origin {
        guard let origin, origin != "latest" else { return .backup(try await work.care.newestWhole().id) }
        if let id = BackupID(origin) { return .backup(id) }
        guard FileManager.default.fileExists(atPath: origin) else {
            throw Problem(
                "BackupNotFound", "\(origin) is neither the id of a backup nor a file",
                next: "see reconcile backup list for those that are, or say latest")
        }
        return .path(origin)
    }

    /// The state would go back with the data, and with it the lock that keeps passes away.
    private func requireStateElsewhere(_ work: DatabaseWork) throws(Problem) {
        guard case .database(work.database.name)? = work.system.statePlace, !work.isStatePlaced else { return }
        throw Problem(
            "StateInside", "\(work.database.id) holds the state of \(work.system.id), which would go back with the data",
            next: "stop every reconcile of it, and restore with the lock kept elsewhere: --state DIR")
    }

    private func transition(_ work: DatabaseWork) async throws(Problem) -> Transition? {
        do throws(StateError) { return try await work.program.reconciler.store(work.system).load().transition } catch {
            throw error.problem
        }
    }

    private func refusals(
        _ plan: RestorePlan, _ transition: Transition?, _ outlook: SchemaOutlook, _ work: DatabaseWork
    ) -> [Problem] {
        var problems: [Problem] = []
        if let transition {
            problems.append(
                Problem(
                    "TransitionOpen", "\(work.system.id): the transition to \(transition.revision) is open: a pass would go on with it",
                    next: "run reconcile --once until it is closed, or restore with --force"))
        }
        if let repeats = plan.repeats {
            problems.append(
                Problem(
                    "AlreadyRestored", "this backup was restored at \(repeats.time) already, and no other since",
                    next:
                        "nothing needs to be done; to take it back: reconcile restore --undo \(repeats)\(options.place); to do it once more: --force"
                ))
        }
        if plan.isOfNothing { problems.append(plan.nothing) }
        if let conflict = outlook.conflict { problems.append(conflict) }
        return problems
    }

    // MARK: Afterwards

    private func past(_ work: DatabaseWork) async throws(Problem) -> DatabaseAnswer {
        let restores = try await work.care.restores()
        let style = work.program.output.style
        var text = "nothing was restored to \(work.database.id), or nothing is left of it\n"
        if !restores.isEmpty {
            var table = TextTable(header: ["ID", "WHEN", "STATE", "KEPT AS", "SAVED BEFORE"], style: style)
            for restore in restores {
                table.add([
                    .init(restore.id.description), .init(restore.id.time.description), .init(restore.stage.rawValue),
                    .init(restore.keptAs ?? "-"), .init(restore.safety?.description ?? "-"),
                ])
            }
            text = table.rendered()
        }
        let items = restores.map { restore -> JSON in
            [
                "id": .string(restore.id.description), "time": .string(restore.id.time.description),
                "state": .string(restore.stage.rawValue),
                "keptAs": .optional(restore.keptAs), "safety": .optional(restore.safety?.description),
            ]
        }
        return DatabaseAnswer(
            text: text, json: ["database": .string(work.database.name), "restores": .array(items)], verdict: .inSync)
    }

    private func takeBack(_ id: BackupID, _ work: DatabaseWork) async throws(Problem) -> DatabaseAnswer {
        try requireStateElsewhere(work)
        let past = try await work.care.undoable(id, place: options.place)
        let style = work.program.output.style
        guard yes else {
            return DatabaseAnswer(
                text: """
                    \(style.bold("\(work.database.id)")): \(past.keptAs?.printable ?? "") takes its place again; every session is ended
                      what was restored is kept beside it, with what was written since
                      \(style.cyan("→ to do it: reconcile restore --undo \(id)\(options.place.printable) --yes"))

                    """,
                json: ["restore": .string(id.description), "undone": false, "keptAs": .optional(past.keptAs)], verdict: .changes)
        }
        return try await work.alone { transition throws(Problem) in
            if let transition, !force {
                throw Problem(
                    "TransitionOpen", "\(work.system.id): the transition to \(transition.revision) is open",
                    next: "run reconcile --once until it is closed, or say --force")
            }
            let lines = try await work.care.undo(id, progress: work.progress)
            let outlook = await SchemaOutlook(now: work)
            var text = "\(style.green("✔")) \(style.bold("the restore \(id) is taken back"))\n"
            for line in lines { text += "  \(line.printable)\n" }
            text += outlook.text(style)
            return DatabaseAnswer(
                text: text,
                json: [
                    "restore": .string(id.description), "undone": true, "lines": .array(lines.map(JSON.string)), "schema": outlook.json,
                ], verdict: .inSync)
        }
    }

    private func drop(keeping count: Int, _ work: DatabaseWork) async throws(Problem) -> DatabaseAnswer {
        let formers = try await work.care.formers()
        let gone = Array(formers.dropFirst(count))
        if yes, !gone.isEmpty {
            try await work.alone { (_) throws(Problem) -> Void in
                for former in gone { try await work.care.drop(former) }
            }
        }
        let size = ByteCount(gone.reduce(0) { $0 + ($1.bytes ?? 0) })
        let what = "what \(gone.count == 1 ? "one restore" : "\(gone.count) restores") left, \(size)"
        var text = gone.isEmpty ? "nothing to drop\n" : (yes ? "dropped \(what):\n" : "would drop \(what):\n")
        for former in gone { text += "  \(former.name.printable)  \(former.bytes.map { ByteCount($0).description } ?? "-")\n" }
        if !gone.isEmpty, !yes {
            text += "  → to do it: reconcile restore --prune --keep \(count)\(options.place.printable) --yes; there is no undo then\n"
        }
        return DatabaseAnswer(
            text: text,
            json: [
                "database": .string(work.database.name), "dropped": .bool(yes && !gone.isEmpty),
                "formers": .array(
                    gone.map {
                        [
                            "restore": .string($0.restore.description), "name": .string($0.name),
                            "bytes": $0.bytes.map(JSON.integer) ?? .null,
                        ]
                    }),
            ], verdict: gone.isEmpty || yes ? .inSync : .changes)
    }
}
