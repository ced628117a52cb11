import ArgumentParser
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State
import TextLayout

/// The options of every command that reads specs and changes nothing.
struct ReadingOptions: ParsableArguments {
    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { _ = try specs.required() }
}

/// What a command says of one system, in every form in which it may be asked for.
struct Answer: Sendable {
    var text: @Sendable (TextStyle) -> String
    var markdown: @Sendable () -> String
    var json: @Sendable () -> JSON
    var verdict: Verdict
}

extension ReadingOptions {
    /// Asks `question` of every system and prints the answers; the worst verdict is the exit code.
    ///
    /// - Parameter list: the kind of the JSON list: `PlanList`.
    func answer(
        list: String, _ question: @escaping @Sendable (Program, System, Snapshot, PathSource) async throws(StateError) -> Answer
    ) async -> ExitCode {
        let program = Program(stateDirectory: state.directory)
        return await program.untilInterrupted {
            guard let (source, snapshot, systems) = await program.systems(specs, output.form) else { return ExitCode(.failure) }
            var verdict = Verdict.inSync
            var items: [JSON] = []
            for system in systems {
                do throws(StateError) {
                    let answer = try await question(program, system, snapshot, source)
                    verdict = max(verdict, answer.verdict)
                    switch output.form {
                    case .text: program.output.result(answer.text(program.output.style))
                    case .markdown: program.output.result(answer.markdown())
                    case .json: items.append(answer.json())
                    }
                } catch {
                    program.output.error("\(system.id): \(error)")
                    verdict = .failure
                }
            }
            if output.form == .json { program.output.result(.list(list, items)) }
            return ExitCode(verdict, program.output)
        }
    }
}
