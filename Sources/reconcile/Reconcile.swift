import ArgumentParser
import ControlLoop
import Model
import Planning

@main
struct Reconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Brings what runs to what a spec file pins: rolls a whole system back, and forward again.",
        discussion: """
            A spec pins the release of every component of a system. Committing an older pin is the rollback.

              reconcile plan -f system.yaml            what would be done; exit code 2 if something would
              reconcile --once -f system.yaml          do it
              reconcile status -f system.yaml          what is pinned, what runs
              reconcile history web -f system.yaml     which releases web could go back to

            Exit codes: 0 converged or in sync; 1 failed, or a spec that does not load; 2 changes pending (plan);
            3 blocked: needs adoption, locked, an older revision; 64 usage. Of several systems the worst counts.

            Credentials come from the environment: VERCEL_TOKEN; KUBECONFIG or the pod's service account.
            """,
        version: Version.current,
        subcommands: [
            PlanCommand.self, ValidateCommand.self, StatusCommand.self, HistoryCommand.self, HealthCommand.self, GenerateCommand.self,
        ])

    @Flag(help: "Make passes until every system is converged, failed or blocked, then exit.")
    var once = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("How long all passes together may take, such as 90s, 15m or 1h30m.", valueName: "duration"))
    var timeout = TimeLimit(.seconds(1800))

    @Flag(help: "Allow the first contact with a system to change it.")
    var adopt = false

    @Flag(help: "Reconcile a revision that is older than the last accepted one.")
    var force = false

    func validate() throws {
        guard once || specs.files.isEmpty else {
            throw ValidationError(
                "Say --once: the loop that keeps watching is not there yet. To see what would be done: reconcile plan -f …")
        }
        if once { _ = try specs.required() }
    }

    func run() async throws {
        guard once else { throw CleanExit.helpRequest(self) }
        let program = Program(state)
        let run = OnceRun(program: program, form: output.form, adopt: adopt, force: force, timeout: timeout.duration)
        throw ExitCode(await program.untilInterrupted { await run(specs) })
    }
}

/// The program's version, in `--version` and in every request's `User-Agent`.
enum Version {
    static let current = "0.1.0"
}
