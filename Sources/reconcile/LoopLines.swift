import ControlLoop
import Execution
import JSONValues
import Model
import Planning
import Reporting
import Serving
import Sources
import Synchronization
import TextLayout

/// Writes what happens in a loop, a line each with the time in front: for people, or as JSON.
final class LoopLines: Sendable {
    private let output: Output
    private let form: OutputForm
    private let now: @Sendable () -> Timestamp
    private let progress: Mutex<[SystemID: ProgressText]> = Mutex([:])

    init(output: Output, form: OutputForm, now: @escaping @Sendable () -> Timestamp) {
        self.output = output
        self.form = form
        self.now = now
    }

    func write(_ event: LoopEvent) {
        // One at a time, so that two lines do not run into each other.
        progress.withLock { progress in
            if form == .json {
                guard let json = json(event) else { return }
                output.result(json.description + "\n")
            } else {
                let time = output.style.dim(now().description)
                for line in text(event, &progress) { output.result("\(time) \(line)\n") }
            }
        }
    }

    /// What became of a webhook.
    func write(_ note: WebhookEndpoint.Note) {
        line(
            "webhook from \(note.sender.rawValue) \(note.result.rawValue): \(note.text.printable)", nil, "Webhook",
            [("sender", .string(note.sender.rawValue)), ("result", .string(note.result.rawValue)), ("message", .string(note.text))])
    }

    /// - Parameter bound: `127.0.0.1:8080`.
    func writeListening(on bound: String) { line("listening on \(bound)", nil, "Listening", [("address", .string(bound))]) }

    /// What happens around a loop: a line for people, or a named object with its facts.
    func line(_ text: String, _ trouble: Problem?, _ name: String, _ facts: [(String, JSON)]) {
        progress.withLock { _ in
            if form == .json {
                output.result(object(name, facts + (trouble.map { [("trouble", .string($0.description))] } ?? [])).description + "\n")
            } else {
                let words = trouble.map { "\(output.style.yellow("!")) \(text); \($0.description.printable)" } ?? text
                output.result("\(output.style.dim(now().description)) \(words)\n")
            }
        }
    }

    // MARK: - For people

    private func text(_ event: LoopEvent, _ progress: inout [SystemID: ProgressText]) -> [String] {
        let style = output.style
        switch event {
        case .loaded(let revision, let systems, let notes):
            let names =
                systems.prefix(5).map(\.description).joined(separator: ", ") + (systems.count > 5 ? " and \(systems.count - 5) more" : "")
            if systems.isEmpty, notes.isEmpty { return [] }
            return [(revision.kind == .generation ? "\(revision): " : "revision \(revision): ") + names]
                + notes.map { style.dim("note: \($0)".printable) }
        case .rejected(let revision, let mistakes, let watched, let origin):
            let count = mistakes.count == 1 ? "one mistake" : "\(mistakes.count) mistakes"
            let whose = origin.isEmpty ? "" : " of \(origin)"
            return [style.red("✘") + " revision \(revision)\(whose) does not load: \(count); \(kept(watched))"]
                + mistakes.map { "  \($0.printable)" }
        case .unreadable(let error, let watched, let origin):
            let whose = origin.isEmpty ? "" : " of \(origin)"
            return [style.red("✘") + " the specs\(whose) cannot be read: \(error.message.printable); \(kept(watched))"]
        case .outOfReach(let error): return [style.yellow("!") + " \(error.message.printable)"]
        case .inReach(let revision): return ["the source of the specs answers again\(revision.map { ", at \($0)" } ?? "")"]
        case .left(let system): return ["\(system): the specs name it no more; it is left as it is"]
        case .letGo(let ended, _):
            let what = ended.problems.isEmpty ? "let go of; what runs is left as it is" : "is to go, and cannot yet"
            return ["\(ended.system): \(what)"]
                + (ended.done + ended.problems.map(\.description)).map { "\(ended.system): \($0.printable)" }
        case .execution(let system, let event):
            let text = progress[system, default: ProgressText(style: style, isLive: false)].text(for: event)
            return text.split(separator: "\n").map { "\(system): \($0)" }
        case .passed, .tookOver, .unmoved: return []
        case .ended(let report, let again): return ended(report, again)
        case .interrupted(let report):
            return [style.yellow("■") + " \(report.system): stopped between two steps; the next start goes on from here"]
        case .observed(let system, let result): return [observed(system, result)]
        case .stopping(let systems):
            return [
                systems.isEmpty
                    ? "stopping" : "stopping: finishing the steps under way of \(list(systems)); another signal ends it at once"
            ]
        case .stopped: return ["stopped"]
        }
    }

    private func ended(_ report: PassReport, _ again: Duration?) -> [String] {
        let style = output.style
        let mark =
            switch report.verdict {
            case .inSync: style.green("✔")
            case .failure: style.red("✘")
            case .changes, .blocked: style.yellow("■")
            }
        let revision = report.survey.map { " at \($0.revision)" } ?? ""
        let pause = again.map { "; looking again in \(Self.words($0))" } ?? ""
        var lines = ["\(mark) \(report.system): \(report.headline)\(revision)\(pause)"]
        for problem in report.problems {
            lines.append("\(report.system): \(problem.message.printable)")
            if let next = problem.next { lines.append("\(report.system): " + style.cyan("→ \(next.printable)")) }
        }
        return lines
    }

    private func observed(_ system: SystemID, _ result: Result<LoopEvent.ObservedDifference, Problem>) -> String {
        let style = output.style
        switch result {
        case .success(let difference) where difference.verdict == .inSync:
            return "\(system): looked at: in sync with the last pins that load"
        case .success(let difference):
            let count = difference.changes == 1 ? "one change" : "\(difference.changes) changes"
            return style.yellow("!") + " \(system): looked at: not as pinned; \(count) left until the specs load"
        case .failure(let problem): return style.red("✘") + " \(system): \(problem.description.printable)"
        }
    }

    private func kept(_ systems: [SystemID]) -> String {
        systems.isEmpty
            ? "nothing is done until it is mended" : "nothing is applied until it is mended, and \(list(systems)) only looked at"
    }

    private func list(_ systems: [SystemID]) -> String {
        systems.prefix(5).map(\.description).joined(separator: ", ") + (systems.count > 5 ? " and \(systems.count - 5) more" : "")
    }

    private static func words(_ pause: Duration) -> String {
        let seconds = max(1, pause.components.seconds)
        return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
    }

    // MARK: - JSON

    private func object(_ name: String, _ more: [(String, JSON)]) -> JSON {
        var json: JSON = ["time": .string(now().description), "event": .string(name)]
        for (key, value) in more { json[key] = value }
        return json
    }

    private func json(_ event: LoopEvent) -> JSON? {
        func names(_ systems: [SystemID]) -> JSON { .array(systems.map { .string($0.description) }) }
        func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }
        func part(_ origin: String) -> [(String, JSON)] { origin.isEmpty ? [] : [("origin", .string(origin))] }
        switch event {
        case .loaded(let revision, let systems, let notes):
            return object("RevisionLoaded", [("revision", .string(revision.id)), ("systems", names(systems)), ("notes", strings(notes))])
        case .rejected(let revision, let mistakes, let watched, let origin):
            return object(
                "RevisionRejected",
                [("revision", .string(revision.id)), ("mistakes", strings(mistakes)), ("systems", names(watched))] + part(origin))
        case .unreadable(let error, let watched, let origin):
            return object("SourceUnreadable", [("message", .string(error.message)), ("systems", names(watched))] + part(origin))
        case .outOfReach(let error): return object("SourceOutOfReach", [("message", .string(error.message))])
        case .inReach(let revision): return object("SourceInReach", [("revision", .optional(revision?.id))])
        case .passed, .tookOver, .unmoved: return nil
        case .left(let system): return object("SystemLeft", [("system", .string(system.description))])
        case .letGo(let ended, let again):
            return object(
                "SystemLetGo",
                [
                    ("system", .string(ended.system.description)), ("done", strings(ended.done)),
                    ("problems", strings(ended.problems.map(\.description))),
                    ("again", again.map { .string("\($0.components.seconds)s") } ?? .null),
                ])
        case .execution(let system, let event): return step(event).map { object($0.0, [("system", .string(system.description))] + $0.1) }
        case .ended(let report, let again):
            return object(
                "PassEnded",
                [
                    ("system", .string(report.system.description)), ("again", again.map { .string("\($0.components.seconds)s") } ?? .null),
                    ("report", report.json),
                ])
        case .interrupted(let report):
            return object("PassInterrupted", [("system", .string(report.system.description)), ("report", report.json)])
        case .observed(let system, .success(let difference)):
            return object(
                "Observed",
                [
                    ("system", .string(system.description)), ("verdict", .string(difference.verdict.rawValue)),
                    ("changes", .integer(difference.changes)),
                ])
        case .observed(let system, .failure(let problem)):
            return object("Observed", [("system", .string(system.description)), ("message", .string(problem.description))])
        case .stopping(let systems): return object("Stopping", [("systems", names(systems))])
        case .stopped: return object("Stopped", [])
        }
    }

    private func step(_ event: ExecutionEvent) -> (String, [(String, JSON)])? {
        func facts(_ step: Step) -> [(String, JSON)] {
            [
                ("phase", .string(step.phase.rawValue)), ("step", .string(step.id)), ("resource", .optional(step.resource?.description)),
                ("summary", .string(step.summary)),
            ]
        }
        switch event {
        case .phaseEntered: return nil
        case .drifted(let drift): return ("Drifted", [("message", .string(drift.sentence))])
        case .notice(let resource, let text): return ("Notice", [("resource", .string(resource.description)), ("message", .string(text))])
        case .stepStarted(let step): return ("StepStarted", facts(step))
        case .stepProgress(let step, let text): return ("StepProgress", facts(step) + [("message", .string(text))])
        case .stepEnded(let step, let outcome):
            return ("StepEnded", facts(step) + [("outcome", .string(outcome.word)), ("message", .optional(outcome.problem?.description))])
        }
    }
}
