import ArgumentParser
import ControlLoop
import Model
import Planning
import ProviderKit
import Reporting
import Sources
import State
import TextLayout

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Lists the releases that a component could go back to, and what each would take.")

    @Argument(help: "The component's name in the spec.")
    var component: String

    @OptionGroup var options: ReadingOptions

    func run() async throws {
        let program = options.program
        throw ExitCode(await program.untilInterrupted { await show(program) })
    }

    private func show(_ program: Program) async -> Verdict {
        guard let read = await options.read(program, readsMigrations: false) else { return .failure }
        let systems = read.systems.map(\.system)
        let matches = systems.flatMap { system in system.components.filter { $0.name == component }.map { (system, $0) } }
        guard let (system, component) = matches.first, matches.count == 1 else {
            let names = systems.flatMap { system in system.components.map { "\($0.name) (\(system.id))" } }.sorted().joined(separator: ", ")
            program.refuse(
                names.isEmpty
                    ? "the specs name no component; they go under spec.components"
                    : matches.isEmpty
                        ? "no component is named \(component); there are: \(names)"
                        : "\(matches.count) systems have a component named \(component); choose one with --system",
                options.output.form)
            return .failure
        }
        do throws(StateError) {
            let recorded = try await program.reconciler.store(system).load()
            let observation = try await program.reconciler.observe(component, of: system, recorded: recorded, depth: .history)
            let history = ReleaseHistory(component, of: system.id, observation: observation, recorded: recorded)
            switch options.output.form {
            case .text: program.output.result(history.text(program.output.style))
            case .markdown: program.output.result(history.markdown)
            case .json: program.output.result(history.json)
            }
            return history.problem == nil && read.isWhole ? .inSync : .failure
        } catch {
            program.refuse("\(system.id): \(error)", options.output.form)
            return .failure
        }
    }
}
