import ArgumentParser
import ControlLoop
import Model
import Planning
import Reporting
import Sources
import State

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Shows a database's migrations, and pins another schema.",
        discussion: """
            The schema is a pin like any other: up, down and to compute it, print it and
            write it into the spec file (--commit, --push); reconcile --once, or the
            operator, then goes there, in order with the releases. --now does it at once.

              reconcile migrate status -f system.yaml
              reconcile migrate up -f system.yaml              pins the last migration
              reconcile migrate down --count 2 -f system.yaml  the one two before
              reconcile migrate to 20240611_add_index -f …     or none
              reconcile migrate down --now -f system.yaml      and goes there at once
              reconcile migrate new add_index -f system.yaml   in the files' own format
              reconcile migrate verify -f system.yaml          what is wrong with them
              reconcile migrate resolve 2_backfill --done -f … one that is stuck

            Of several databases --database chooses one, of several systems --system.
            """,
        subcommands: [
            MigrateStatusCommand.self, MigrateUpCommand.self, MigrateDownCommand.self, MigrateToCommand.self, MigrateNewCommand.self,
            MigrateVerifyCommand.self, MigrateResolveCommand.self,
        ])
}

/// Which database a command is about.
struct DatabaseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The database, where there are several.", valueName: "name"))
    var database: String?

    @OptionGroup(title: "Specs") var specs: SpecOptions

    func validate() throws { _ = try specs.required() }
}

/// A database with everything that it was found with.
struct ChosenDatabase: Sendable {
    var database: Database
    var system: System
    var snapshot: Snapshot

    /// Nil after it has been told why there is not one.
    init?(_ options: DatabaseOptions, _ program: Program, _ form: OutputForm) async {
        guard let (_, snapshot, systems) = await program.systems(options.specs, form),
            let (system, database) = program.database(options.database, in: systems, form)
        else { return nil }
        self.database = database
        self.system = system
        self.snapshot = snapshot
    }
}

struct MigrateStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Lists the migrations of each database and how they stand to the pin.",
        discussion: "Exit code 0 when every database could be observed, in sync or not; 1 when one could not. For a gate use plan.")

    @OptionGroup var options: DatabaseOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await show(program) }, program.output)
    }

    private func show(_ program: Program) async -> Verdict {
        guard let (_, snapshot, systems) = await program.systems(options.specs, output.form) else { return .failure }
        var chosen = systems.flatMap { system in system.databases.map { (system, $0) } }
        if options.database != nil || chosen.isEmpty {
            guard let one = program.database(options.database, in: systems, output.form) else { return .failure }
            chosen = [one]
        }
        var lists: [MigrationList] = []
        for (system, database) in chosen {
            do throws(StateError) {
                let observation = try await program.reconciler.observe(database, of: system, revision: snapshot.revision)
                var list = MigrationList(database, of: system.id, observation)
                // Where the database was asked, the list knows.
                if !list.isKnown, let remark = program.remark(onPinOf: database) { list.notes.append(remark) }
                lists.append(list)
            } catch {
                program.refuse("\(system.id): \(error)", output.form)
                return .failure
            }
        }
        switch output.form {
        case .text: for list in lists { program.output.result(list.text(program.output.style)) }
        case .markdown: for list in lists { program.output.result(list.markdown) }
        case .json: program.output.result(.list("MigrationList", lists.map(\.json)))
        }
        return lists.allSatisfy(\.isKnown) ? .inSync : .failure
    }
}
