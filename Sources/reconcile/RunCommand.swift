import ArgumentParser
import ControlLoop
import Model
import Planning
import Sources
import State

/// The controller: what `reconcile` does without the name of a command.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keeps systems at their pins; the default command, so that its name can be left out.",
        discussion: """
            Runs until it is stopped: it reads the specs again when they change (-f), when the repository has another commit (--git), or when a
            System object changes (--cluster), and makes passes when something changed, is under way or failed, and every --resync. With --once it makes passes until every system is
            converged, failed or blocked, and ends.

              reconcile -f specs/                                    watch a directory
              reconcile --git https://git.example/acme/specs --ref main --path prod
              reconcile --cluster --namespace shop                   the System objects of a namespace
              reconcile --git https://git.example/acme/specs#main:prod --git git@git.example:acme/more#v2
              reconcile --git https://git.example/acme/specs --mirror belay   and show them: kubectl get systems
              reconcile --once -f specs/                             in CI, or by hand

            With --listen ADDRESS it serves /healthz, /readyz, /metrics and /webhooks/SENDER (github, gitlab, gitea, forgejo, generic, vercel,
            render). A webhook is taken when it proves that it knows the secret in BELAY_WEBHOOK_SECRET, or BELAY_WEBHOOK_SECRET_GITHUB and
            so on; a push to the repository of --git is then read at once and not with the next poll.

            SIGTERM or SIGINT: the steps under way are finished (--grace at most), locks given back, exit code 0; a second one ends it at once.
            The first contact with a system that would change it is refused until --adopt; a system that is in sync is recorded as it is.
            Several replicas in a cluster: --leader-elect or --shard; the state of systems that name no place for it is then in the cluster.
            A revision that is older than the last accepted one is refused until --force: to go back, commit the older pins anew.
            """)

    @Flag(help: "Make passes until every system is converged, failed or blocked, then exit.")
    var once = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "Repository") var repository: GitOptions
    @OptionGroup(title: "Cluster") var cluster: ClusterOptions
    @OptionGroup(title: "Mirror") var mirror: MirrorOptions
    @OptionGroup(title: "Loop") var watch: WatchOptions
    @OptionGroup(title: "Replicas") var replicas: ReplicaOptions
    @OptionGroup(title: "Providers") var limits: LimitOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Approval") var approval: ApprovalOptions

    @Option(
        help: ArgumentHelp(
            "With --once: how long all passes together may take, such as 90s, 15m or 1h30m. Default: 30m.", valueName: "duration"))
    var timeout: TimeLimit?

    @Flag(help: "Allow the first contact with a system to change it.")
    var adopt = false

    @Flag(help: "With --once: reconcile a revision that is older than the last accepted one.")
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
        try cluster.check(beside: specs, repository, mirror)
        let isNamed = try !repository.addresses(beside: specs).isEmpty || cluster.cluster
        try mirror.check(beside: cluster, isLoop: !once, isNamed: isNamed || !specs.files.isEmpty)
        if once {
            if let option = watch.given ?? replicas.given {
                throw ValidationError("\(option) belongs to the loop: leave --once out, or \(option).")
            }
            if !isNamed { _ = try specs.required() }
            return
        }
        if force { throw ValidationError("--force is for one revision: say --once.") }
        if timeout != nil { throw ValidationError("--timeout belongs to --once: the loop runs until it is stopped.") }
        if specs.files.contains("-") {
            throw ValidationError("Standard input cannot be watched. To reconcile it once: reconcile --once -f -.")
        }
        if output.form == .markdown { throw ValidationError("The loop prints lines (-o text) or a JSON object a line (-o json).") }
        // Without anything it prints the help.
        if specs.files.isEmpty, !isNamed, adopt || watch.given != nil || replicas.isGiven { _ = try specs.required() }
    }

    func run() async throws {
        let addresses = try repository.addresses(beside: specs)
        guard once || !addresses.isEmpty || cluster.cluster || !specs.files.isEmpty else { throw CleanExit.helpRequest(Reconcile.self) }
        let served = try watch.served()
        // Several replicas share nothing else, and objects of a cluster are reconciled where no disk survives.
        let isStateInCluster = cluster.cluster || replicas.isGiven
        let program = Program(
            stateDirectory: state.directory, context: cluster.context,
            usualPlace: isStateInCluster ? .cluster(namespace: nil, context: cluster.context) : nil, served: served,
            accountLimit: limits.perAccount, poll: watch.poll?.duration ?? .seconds(30))
        let repositories = try repositories(addresses, program)
        let objects = try cluster.cluster ? ClusterRun(cluster, program, watches: !once) : nil
        guard once else {
            let replica: Replica?
            do throws(Problem) { replica = try Replica.make(replicas, in: program) } catch {
                program.output.error(error.description)
                throw ExitCode(Verdict.failure)
            }
            let run = LoopRun(
                program: program, specs: specs, form: output.form, adopt: adopt, approval: approval,
                resync: watch.resync?.duration ?? .seconds(300), concurrency: watch.concurrency ?? 8,
                grace: watch.grace?.duration ?? .seconds(25), replica: replica, served: served)
            let shown = try mirror.name.map { try MirrorRun($0, context: cluster.context, program) }
            throw ExitCode(await run(repositories, objects, shownBy: shown))
        }
        let isStatePlaced = state.directory != nil || isStateInCluster || !(program.variables["XDG_STATE_HOME"] ?? "").isEmpty
        let run = OnceRun(
            program: program, form: output.form, adopt: adopt, force: force, approval: approval,
            timeout: timeout?.duration ?? .seconds(1800),
            isStatePlaced: isStatePlaced)
        if let objects { throw ExitCode(await program.untilInterrupted { await run(specs, in: objects) }) }
        let sources: [(origin: String, source: any SpecSource)] =
            repositories.isEmpty ? [("", PathSource(specs.files))] : repositories.map { ($0.address.name, $0) }
        throw ExitCode(await program.untilInterrupted { await run(specs, from: sources) })
    }

    /// With their clones in the state directory.
    private func repositories(_ addresses: [GitAddress], _ program: Program) throws -> [GitSource] {
        guard !addresses.isEmpty else { return [] }
        do {
            let place = try StateDirectory.root(given: state.directory, environment: program.variables)
            return try repository.sources(addresses, under: place, poll: watch.poll?.duration ?? .seconds(30), program)
        } catch {
            program.output.error("\(error)")
            throw ExitCode(Verdict.failure)
        }
    }
}
