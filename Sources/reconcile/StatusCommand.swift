import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State
import TextLayout

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what is pinned against what runs.",
        discussion: "Exit code 0 when everything could be observed, in sync or not; 1 when something could not. For a gate use plan.")

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { _ = try specs.required() }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await show(program) })
    }

    private func show(_ program: Program) async -> Verdict {
        guard let (_, snapshot, systems) = await program.systems(specs) else { return .failure }
        var verdict = Verdict.inSync
        var items: [JSON] = []
        for system in systems {
            let survey: Survey
            do throws(StateError) {
                survey = try await program.reconciler.survey(system, revision: snapshot.revision)
            } catch {
                program.output.error("\(system.id): \(error)")
                verdict = .failure
                continue
            }
            let status = SystemStatus(
                survey.system, revision: survey.revision, world: survey.world, recorded: survey.recorded, plan: survey.plan)
            if status.components.contains(where: { $0.state == .unknown }) { verdict = .failure }
            switch output.form {
            case .text: program.output.result(status.text(program.output.style))
            case .markdown: program.output.result(status.markdown)
            case .json: items.append(status.json)
            }
        }
        if output.form == .json { program.output.result(.list("SystemStatusList", items)) }
        return verdict
    }
}
