import ArgumentParser
import ControlLoop
import JSONValues
import Migrations
import Model
import Planning
import ProviderKit
import Reporting
import Sources
import State
import TextLayout

struct MigrateResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Says what became of a migration that was interrupted, where nothing else tells.",
        discussion: """
            A migration outside of a transaction that was interrupted goes on by itself where the
            catalogue shows what took effect. Where it does not (an INSERT, a DO block, a function),
            it is stuck until somebody has looked and says so. Nothing is run now: the next pass
            goes on from there.

              --done    the statement that it is stuck at has taken effect: go on behind it
              --retry   it has not: run it again
              --undo    take back what was done, by the script of the other direction

            Exit codes: 0 written down; 1 refused: it is not stuck, or the database cannot be
            reached; 64 usage.
            """)

    @Argument(help: "The migration's full name, as status shows it.")
    var version: String

    @Flag(help: "What is to become of it.")
    var resolution: ResolutionFlag

    @OptionGroup var options: DatabaseOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    enum ResolutionFlag: String, EnumerableFlag {
        case done, retry, undo

        static func help(for value: ResolutionFlag) -> ArgumentHelp? {
            switch value {
            case .done: "Its statement has taken effect."
            case .retry: "It has not; run it again."
            case .undo: "Take back what was done."
            }
        }

        var meaning: Migrations.Resolution {
            switch self {
            case .done: .done
            case .retry: .retry
            case .undo: .undo
            }
        }
    }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await resolve(program) }, program.output)
    }

    private func resolve(_ program: Program) async -> Verdict {
        guard let chosen = await ChosenDatabase(options, program, output.form) else { return .failure }
        do throws(StateError) {
            let request = try await program.reconciler.schemaRequest(
                for: chosen.database, of: chosen.system, revision: chosen.snapshot.revision, making: true)
            guard let request, let driver = program.reconciler.schemaDriver as? MigrationsDriver else {
                program.refuse("\(chosen.database.id): this program moves no schemas", output.form)
                return .failure
            }
            var asked: SchemaRequest
            switch request {
            case .success(let made): asked = made
            case .failure(let problem):
                program.refuse(problem.description, output.form)
                return .failure
            }
            asked.actor =
                LockHolder.current(
                    command: "reconcile migrate resolve", environment: program.variables, since: program.reconciler.now()
                ).description
            if let problem = await driver.resolve(version, resolution.meaning, of: chosen.database, asked) {
                program.refuse(problem.description, output.form)
                return .failure
            }
        } catch {
            program.refuse("\(chosen.system.id): \(error)", output.form)
            return .failure
        }
        let next = "reconcile --once -f \(Program.file(of: chosen.system)) goes on from there"
        switch output.form {
        case .text: program.output.result("\(version): \(resolution.rawValue) is written down; \(next)\n")
        case .markdown:
            program.output.result("- \(version.markdownEscaped): \(resolution.rawValue) is written down; \(next.markdownEscaped)\n")
        case .json:
            program.output.result([
                "apiVersion": "belay.dev/v1alpha1", "kind": "MigrationResolution", "system": .string(chosen.system.id.description),
                "database": .string(chosen.database.name), "migration": .string(version), "resolution": .string(resolution.rawValue),
            ])
        }
        return .inSync
    }
}
