import ArgumentParser
import ConfigurationValues
import ControlLoop
import GitMigrations
import JSONValues
import Migrations
import Model
import Planning
import ProviderKit
import Reporting
import Sources
import State
import TextLayout

/// The options of every command that works on one database of a system.
struct CareOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The database's name in the spec; may be left out when there is only one.", valueName: "name"))
    var database: String?

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { _ = try specs.required() }

    /// What of the command line says which database is meant.
    var place: String {
        let words = [("database", database), ("system", specs.system), ("state", state.directory)].compactMap { name, value in
            value.map { " --\(name) \($0)" }
        }
        return words.joined() + specs.files.map { " -f \($0)" }.joined()
    }
}

/// One database that a command works on, with the system that it belongs to.
struct DatabaseWork: Sendable {
    var program: Program
    var system: System
    var database: Database
    var care: DatabaseCare
    /// Of the command: `reconcile backup create`.
    var command: String
    /// True if the state is kept in a place that the command line names.
    var isStatePlaced: Bool

    /// Keeps passes away meanwhile.
    func alone<Value: Sendable>(_ body: (Transition?) async throws(Problem) -> Value) async throws(Problem) -> Value {
        let holder = LockHolder.current(command: command, environment: program.variables, since: program.reconciler.now())
        return try await program.reconciler.alone(with: system, holder, body)
    }

    @Sendable func progress(_ line: String) { program.output.progress("\(line.printable)\n") }
}

/// What a command says at its end, in every form in which it may be asked for.
struct DatabaseAnswer: Sendable {
    var text: String
    var json: JSON
    var verdict: Verdict
}

extension CareOptions {
    /// Finds the database, does the work and prints its answer. A problem is told as an error, and in JSON as a list of errors.
    ///
    /// - Parameters:
    ///   - kind: of the JSON list: `BackupList`.
    ///   - making: whether the state store may make its key.
    func answer(
        _ command: String, list kind: String, making: Bool,
        _ work: @escaping @Sendable (DatabaseWork) async throws(Problem) -> DatabaseAnswer
    ) async -> ExitCode {
        let program = Program(stateDirectory: state.directory)
        return await program.untilInterrupted {
            guard let (_, snapshot, systems) = await program.systems(specs, output.form) else { return ExitCode(.failure) }
            do throws(Problem) {
                let (system, database) = try Program.database(database, in: systems)
                let request: Result<SchemaRequest, Problem>
                do throws(StateError) {
                    let holder = LockHolder.current(command: command, environment: program.variables, since: program.reconciler.now())
                    request = try await program.reconciler.careRequest(
                        of: system, revision: snapshot.revision, actor: "\(holder.user)@\(holder.host)", making: making)
                } catch {
                    throw error.problem
                }
                let values = program.reconciler.values
                let git = await program.repositories.git(for: database)
                let care = DatabaseCare(
                    database, try request.get(), variables: program.variables, history: { GitMigrationHistory($0, git: git) }
                ) { source, name in
                    await values.value(of: source, for: "database/\(name): its address")
                }
                let answer = try await work(
                    DatabaseWork(
                        program: program, system: system, database: database, care: care, command: command,
                        isStatePlaced: state.directory != nil))
                switch output.form {
                case .json: program.output.result(.list(kind, [answer.json]))
                case .text: program.output.result(answer.text)
                case .markdown: program.output.result("```\n\(answer.text)```\n")
                }
                return ExitCode(answer.verdict, program.output)
            } catch {
                let problem =
                    Task.isCancelled && ["Cancelled", "RestoreFailed", "BackupFailed", "ProgramFailed"].contains(error.reason)
                    ? Problem("Interrupted", "it was interrupted: \(error.message)", next: "nothing is lost by running it again") : error
                program.output.error("\(problem.message.printable)")
                if let next = problem.next { program.output.progress("  → \(next.printable)\n") }
                if output.form == .json {
                    program.output.result(
                        .list(
                            "ErrorList",
                            [["reason": .string(problem.reason), "message": .string(problem.message), "next": .optional(problem.next)]]))
                }
                return ExitCode(Self.blocking.contains(problem.reason) ? .blocked : .failure)
            }
        }
    }

    private static let blocking: Set<String> = [
        "Locked", "DatabaseBusy", "TransitionOpen", "PinConflict", "AlreadyRestored", "StateInside",
    ]
}
