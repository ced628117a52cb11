import ArgumentParser
import ControlLoop
import Model
import Planning

/// The controller: what `reconcile` does without the name of a command.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Makes passes over the systems; the default command, so that its name can be left out.",
        discussion: """
            The first contact with a system that would change it is refused until --adopt; a system that is in sync is recorded as it is.
            A revision that is older than the last accepted one is refused until --force: to go back, commit the older pins anew.
            """)

    @Flag(help: "Make passes until every system is converged, failed or blocked, then exit.")
    var once = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Approval") var approval: ApprovalOptions

    @Option(help: ArgumentHelp("How long all passes together may take, such as 90s, 15m or 1h30m.", valueName: "duration"))
    var timeout = TimeLimit(.seconds(1800))

    @Flag(help: "Allow the first contact with a system to change it.")
    var adopt = false

    @Flag(help: "Reconcile a revision that is older than the last accepted one.")
    var force = false

    /// As the default command it is given whatever no other one knows.
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var unknown: [String] = []

    func validate() throws {
        if let word = unknown.first {
            let what = word.hasPrefix("-") ? "option" : "command"
            let path = what == "command" && word.contains(where: { "./".contains($0) }) ? " To name a spec: -f \(word)." : ""
            throw ValidationError("There is no \(what) \(word).\(path) See reconcile --help.")
        }
        guard once || (specs.files.isEmpty && !adopt && !force) else {
            throw ValidationError(
                "Say --once: the loop that keeps watching is not there yet. To see what would be done: reconcile plan -f …")
        }
        if once { _ = try specs.required() }
    }

    func run() async throws {
        guard once else { throw CleanExit.helpRequest(Reconcile.self) }
        let program = Program(stateDirectory: state.directory)
        let isStatePlaced = state.directory != nil || !(program.variables["XDG_STATE_HOME"] ?? "").isEmpty
        let run = OnceRun(
            program: program, form: output.form, adopt: adopt, force: force, approval: approval, timeout: timeout.duration,
            isStatePlaced: isStatePlaced)
        throw ExitCode(await program.untilInterrupted { await run(specs) })
    }
}
