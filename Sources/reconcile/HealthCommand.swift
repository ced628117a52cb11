import ArgumentParser
import ControlLoop
import Planning
import Reporting
import Sources
import State

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the providers and the databases, and runs every check now.",
        discussion: "Exit code 0 when everything is healthy, 1 when something is not. Whether the pins are live is not asked: see status.")

    @OptionGroup var options: ReadingOptions

    @Option(help: ArgumentHelp("How long each check may take to pass.", valueName: "duration"))
    var within = TimeLimit(.seconds(10))

    func run() async throws {
        let limit = within.duration
        throw await options.answer(list: "HealthReportList") { program, system, snapshot, _ throws(StateError) in
            var report = try await program.reconciler.health(of: system, revision: snapshot.revision, within: limit)
            report.holder = try await program.reconciler.store(system).holder()?.description
            return Answer(
                text: report.text, markdown: { [report] in report.markdown }, json: { [report] in report.json },
                verdict: report.isHealthy ? .inSync : .failure)
        }
    }
}
