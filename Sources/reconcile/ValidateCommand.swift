import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import SpecFields
import SpecLoading
import TextLayout

struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Checks specs without asking any provider: every mistake at once, with file, line and column.",
        discussion: "Prints one line per mistake as file:line:column: message. Exit code 1 if there is one.")

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { _ = try specs.required() }

    func run() async throws {
        let program = Program()
        let paths = specs.files
        let loaded: LoadResult
        do throws(SourceError) {
            loaded = try await program.load(paths).loaded
        } catch {
            program.output.error(error.message)
            if output.form == .json { program.output.result(.list("ErrorList", [["message": .string(error.message)]])) }
            throw ExitCode(Verdict.failure)
        }
        let diagnostics = loaded.diagnostics
        // What does not load has no name: a mistake anywhere may be in the system that was asked for.
        let systems = loaded.systems.filter { specs.names($0.id) }
        if diagnostics.isEmpty, systems.isEmpty, let wanted = specs.system {
            let names = loaded.systems.map(\.id.description).joined(separator: ", ")
            let message = "no system is named \(wanted); there are: \(names)"
            program.output.error(message)
            if output.form == .json { program.output.result(.list("ErrorList", [["message": .string(message)]])) }
            throw ExitCode(Verdict.failure)
        }
        let notes = loaded.notes + systems.flatMap(\.databases).compactMap { program.remark(onPinOf: $0) }
        switch output.form {
        case .json: program.output.result(.list("DiagnosticList", diagnostics.map(\.json)))
        case .markdown: program.output.result(Self.markdown(diagnostics, systems, notes: notes))
        case .text:
            for diagnostic in diagnostics { program.output.result("\(diagnostic)\n") }
            for note in notes { program.output.progress("note: \(note)\n") }
            if diagnostics.isEmpty {
                program.output.result(
                    "\(program.output.style.green("✔")) \(Self.headline(diagnostics, systems)): "
                        + systems.map(\.id.description).joined(separator: ", ") + "\n")
            } else {
                program.output.progress("\(Self.headline(diagnostics, systems))\n")
            }
        }
        throw ExitCode(diagnostics.isEmpty ? Verdict.inSync : .failure)
    }

    private static func headline(_ diagnostics: [Diagnostic], _ systems: [System]) -> String {
        guard diagnostics.isEmpty else { return "\(diagnostics.count) \(diagnostics.count == 1 ? "mistake" : "mistakes")" }
        return "\(systems.count) \(systems.count == 1 ? "system is" : "systems are") valid"
    }

    /// For a comment or a job summary.
    private static func markdown(_ diagnostics: [Diagnostic], _ systems: [System], notes: [String]) -> String {
        var text = "### \(headline(diagnostics, systems))\n\n"
        for diagnostic in diagnostics { text += "- \(diagnostic.description.markdownEscaped)\n" }
        if diagnostics.isEmpty { for system in systems { text += "- \(system.id.description.markdownEscaped)\n" } }
        for note in notes { text += "- note: \(note.markdownEscaped)\n" }
        return text + "\n"
    }
}

extension Diagnostic {
    /// One item of `reconcile validate -o json`.
    fileprivate var json: JSON {
        [
            "file": .string(file), "line": .integer(line), "column": .integer(column), "path": .string(path), "message": .string(message),
        ]
    }
}
