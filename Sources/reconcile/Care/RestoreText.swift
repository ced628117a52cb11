import JSONValues
import Migrations
import Model
import Planning
import TextLayout

/// How a restore is told before and after it is done.
struct RestoreText: Sendable {
    private let database: Database
    private let style: TextStyle
    private let place: String

    /// - Parameter place: what commands have to say of where the database is.
    init(_ work: DatabaseWork, _ place: String) {
        self.place = place
        database = work.database
        style = work.program.output.style
    }

    /// - Parameter again: the command line, without `--yes`.
    func planned(
        _ plan: RestorePlan, _ outlook: SchemaOutlook, _ refusals: [Problem], isForced: Bool, again: String
    ) -> DatabaseAnswer {
        var text = "\(style.bold("\(database.id)")) from \(origin(plan)), \(Self.means(plan.strategy))\n"
        for (index, step) in plan.steps.enumerated() { text += "  \(index + 1). \(step.printable)\n" }
        text += rows(plan.tables, ("IN THE BACKUP", "NOW"))
        for caution in plan.cautions { text += "  \(style.yellow("!")) \(caution.printable)\n" }
        for line in plan.manual { text += "  by hand: \(line.printable)\n" }
        if outlook.conflict == nil, let pin = outlook.pin { text += "  the schema is \(pin.printable) then, as the spec pins it\n" }
        for problem in refusals {
            text += "  \(style.red(isForced ? "forced:" : "refused:")) \(problem.message.printable)\n"
            if let next = problem.next { text += "  " + style.cyan("→ \(next.printable)") + "\n" }
        }
        let isRefused = !refusals.isEmpty && !isForced
        if !isRefused { text += "  " + style.cyan("→ to do it: \(again.printable)\(isForced ? " --force" : "") --yes") + "\n" }
        return DatabaseAnswer(
            text: text,
            json: [
                "done": false, "plan": plan.facts, "schema": outlook.json,
                "refusals": .array(
                    refusals.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] }),
            ], verdict: isRefused ? .blocked : .changes)
    }

    func done(_ result: RestoreResult, _ outlook: SchemaOutlook) -> DatabaseAnswer {
        let plan = result.plan
        let what = plan.strategy == .beside ? "has the tables beside its own that were restored from" : "is restored from"
        var text = "\(style.green("✔")) \(style.bold("\(database.id)")) \(what) \(origin(plan))\n"
        for line in result.lines { text += "  \(line.printable)\n" }
        if let safety = result.safety { text += "  saved before: the backup \(safety)\n" }
        if plan.strategy == .beside {
            text += "  by hand, as far as you want it:\n"
            for line in result.statements { text += "    \(line.printable)\n" }
        } else {
            text += rows(result.tables, ("RESTORED", "BEFORE"))
        }
        for line in plan.manual { text += "  by hand: \(line.printable)\n" }
        text += outlook.text(style)
        if plan.keptAs == nil, let safety = result.safety, plan.strategy == .inPlace {
            text += "  to take it back: reconcile restore \(safety) --in-place\(place.printable)\n"
        }
        if plan.keptAs != nil { text += "  to take it back: reconcile restore --undo \(plan.id)\(place.printable)\n" }
        return DatabaseAnswer(
            text: text,
            json: [
                "done": true, "plan": plan.facts, "safety": .optional(result.safety?.description), "keptAs": .optional(result.keptAs),
                "tables": .array(result.tables.map(\.facts)), "lines": .array(result.lines.map(JSON.string)),
                "statements": .array(result.statements.map(JSON.string)), "schema": outlook.json,
            ], verdict: .inSync)
    }

    private func origin(_ plan: RestorePlan) -> String {
        switch plan.origin {
        case .path(let path): return "\(path.printable) (\(ByteCount(plan.dumpBytes)))"
        case .backup(let id):
            let kind = plan.backup.map { ", \($0.kind.rawValue), taken \($0.taken.wholeSecond)" } ?? ""
            return "the backup \(id) (\(ByteCount(plan.dumpBytes))\(kind))"
        }
    }

    private static func means(_ strategy: RestorePlan.Strategy) -> String {
        switch strategy {
        case .swap: "by swap"
        case .inPlace: "in place"
        case .tables: "its tables only"
        case .beside: "beside the tables that are there"
        case .file: "by a checked copy"
        }
    }

    /// Tables whose number of rows is another; Belay's own are left out.
    private func rows(_ changes: [RestorePlan.TableChange], _ titles: (String, String)) -> String {
        let shown = changes.filter { !$0.name.isBelays }
        guard !shown.isEmpty else { return "  every table has as many rows\n" }
        var table = TextTable(header: ["TABLE", titles.0, titles.1], style: style, indent: 2)
        for change in shown.prefix(40) {
            table.add([
                .init(change.name.description), .init(change.saved.map(String.init) ?? "-"), .init(change.now.map(String.init) ?? "-"),
            ])
        }
        return table.rendered() + (shown.count > 40 ? "  and \(shown.count - 40) more tables\n" : "")
    }
}

extension RestorePlan {
    var facts: JSON {
        let origin: JSON =
            switch origin {
            case .backup(let id): ["backup": .string(id.description)]
            case .path(let path): ["path": .string(path)]
            }
        return [
            "id": .string(id.description), "origin": origin, "database": .string(database), "strategy": .string(strategy.rawValue),
            "stage": .string(stage.rawValue), "liveBytes": .integer(liveBytes), "dumpBytes": .integer(dumpBytes),
            "rowsNewer": .integer(rowsNewer), "tables": .array(tables.map(\.facts)), "steps": .array(steps.map(JSON.string)),
            "cautions": .array(cautions.map(JSON.string)), "manual": .array(manual.map(JSON.string)), "keptAs": .optional(keptAs),
            "repeats": .optional(repeats?.description),
        ]
    }
}

extension RestorePlan.TableChange {
    var facts: JSON {
        [
            "table": .string(name.description), "saved": saved.map(JSON.integer) ?? .null, "now": now.map(JSON.integer) ?? .null,
        ]
    }
}
