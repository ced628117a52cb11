import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State
import TextLayout

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the providers and runs every check now.",
        discussion: "Exit code 0 when everything is healthy, 1 when something is not. Whether the pins are live is not asked: see status.")

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("How long each check may take to pass.", valueName: "duration"))
    var within = TimeLimit(.seconds(10))

    func validate() throws { _ = try specs.required() }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await show(program) })
    }

    private func show(_ program: Program) async -> Verdict {
        guard let (_, _, systems) = await program.systems(specs) else { return .failure }
        var verdict = Verdict.inSync
        var items: [JSON] = []
        for system in systems {
            do throws(StateError) {
                let report = try await program.reconciler.health(of: system, within: within.duration)
                if !report.isHealthy { verdict = .failure }
                switch output.form {
                case .text: program.output.result(report.text(program.output.style))
                case .markdown: program.output.result(report.markdown)
                case .json: items.append(report.json)
                }
            } catch {
                program.output.error("\(system.id): \(error)")
                verdict = .failure
            }
        }
        if output.form == .json { program.output.result(.list("HealthReportList", items)) }
        return verdict
    }
}
