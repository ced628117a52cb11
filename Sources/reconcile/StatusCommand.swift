import ArgumentParser
import ControlLoop
import Model
import Planning
import Reporting
import Sources
import State

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what is pinned against what runs.",
        discussion: "Exit code 0 when everything could be observed, in sync or not; 1 when something could not. For a gate use plan.")

    @OptionGroup var options: ReadingOptions

    func run() async throws {
        throw await options.answer(list: "SystemStatusList") { program, system, snapshot, _ throws(StateError) in
            let survey = try await program.reconciler.survey(system, revision: snapshot.revision)
            var status = SystemStatus(
                system, revision: survey.revision, world: survey.world, recorded: survey.recorded, plan: survey.plan)
            status.holder = try await program.reconciler.store(system).holder()?.description
            return Answer(
                text: status.text, markdown: { [status] in status.markdown }, json: { [status] in status.json },
                verdict: status.isKnown ? .inSync : .failure)
        }
    }
}
