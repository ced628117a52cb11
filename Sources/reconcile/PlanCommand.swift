import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State
import TextLayout

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints what would be done, and changes nothing.",
        discussion: """
            Exit codes: 0 nothing to do; 1 failed; 2 changes pending; 3 blocked, somebody must decide.
            -o markdown is made for a comment on a pull request.
            """)

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { _ = try specs.required() }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await plan(program) })
    }

    private func plan(_ program: Program) async -> Verdict {
        guard let (source, snapshot, systems) = await program.systems(specs) else { return .failure }
        var verdict = Verdict.inSync
        var items: [JSON] = []
        for system in systems {
            let survey: Survey
            do throws(StateError) {
                survey = try await program.reconciler.survey(system, revision: snapshot.revision)
            } catch {
                program.output.error("\(system.id): \(error)")
                verdict = max(verdict, .failure)
                continue
            }
            let refusal = await program.reconciler.refusal(of: survey, from: source, adopts: false, forces: false)
            verdict = max(verdict, survey.plan.verdict, refusal == nil ? .inSync : .blocked)
            switch output.form {
            case .text: program.output.result(survey.plan.text(colour: program.output.style.isColoured))
            case .markdown: program.output.result(survey.plan.markdown)
            case .json: items.append(survey.plan.json)
            }
            if let refusal { program.output.error(refusal.description) }
        }
        if output.form == .json { program.output.result(.list("PlanList", items)) }
        return verdict
    }
}
