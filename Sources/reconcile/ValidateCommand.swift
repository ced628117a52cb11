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
        if output.form == .json {
            program.output.result(.list("DiagnosticList", diagnostics.map(\.json)))
        } else {
            for diagnostic in diagnostics { program.output.result("\(diagnostic)\n") }
            for note in loaded.notes { program.output.progress("note: \(note)\n") }
            if diagnostics.isEmpty {
                let count = loaded.systems.count
                program.output.result(
                    "\(program.output.style.green("✔")) \(count) \(count == 1 ? "system is" : "systems are") valid: "
                        + loaded.systems.map(\.id.description).joined(separator: ", ") + "\n")
            } else {
                program.output.progress("\(diagnostics.count) \(diagnostics.count == 1 ? "mistake" : "mistakes")\n")
            }
        }
        throw ExitCode(diagnostics.isEmpty ? Verdict.inSync : .failure)
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
