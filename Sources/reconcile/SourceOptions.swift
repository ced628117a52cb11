import ArgumentParser
import ControlLoop
import FoundationEssentials
import Planning
import Serving
import Sources
import SpecFields

/// Repositories to read specs from, instead of paths.
struct GitOptions: ParsableArguments {
    @Option(
        name: .customLong("git"), parsing: .singleValue,
        help: ArgumentHelp(
            "Read the specs from a Git repository: its URL, or URL#REF:PATH,PATH. May be given more than once. Credentials are git's own (ssh, credential helpers), or from the environment: BELAY_GIT_TOKEN for HTTPS, BELAY_GIT_SSH_KEY_FILE and BELAY_GIT_KNOWN_HOSTS_FILE for ssh.",
            valueName: "url"))
    var urls: [String] = []

    @Option(help: ArgumentHelp("With one --git: a branch, a tag or a commit. Default: the repository's own branch.", valueName: "ref"))
    var ref: String?

    @Option(
        name: .customLong("path"), parsing: .singleValue,
        help: ArgumentHelp(
            "With one --git: a spec file or a directory in the repository. May be given more than once. Default: all of it."))
    var paths: [String] = []

    @Option(
        name: .customLong("verify-signatures"), parsing: .singleValue,
        help: ArgumentHelp(
            "With --git or --cluster: use only commits that somebody in this file has signed, of specs and of migrations in repositories: allowed SSH signers (ssh-keygen(1)), or an OpenPGP keyring. May be given more than once.",
            valueName: "file"), completion: .file())
    var signers: [String] = []

    /// Where specs are, nothing where paths are named; a usage error where that is not clear.
    ///
    /// - Parameter inCluster: whether they are the objects of a cluster instead.
    func addresses(beside specs: SpecOptions, inCluster: Bool) throws -> [GitAddress] {
        guard !urls.isEmpty else {
            let verifies = !signers.isEmpty && !inCluster
            if let option = ref != nil ? "--ref" : !paths.isEmpty ? "--path" : verifies ? "--verify-signatures" : nil {
                throw ValidationError("\(option) belongs to --git URL. To name files on this machine: -f PATH.")
            }
            return []
        }
        guard specs.files.isEmpty else { throw ValidationError("Name the specs by -f or by --git, not by both.") }
        if urls.count > 1, ref != nil || !paths.isEmpty {
            throw ValidationError("With several --git, say of each which ref and paths: --git URL#REF:PATH,PATH.")
        }
        do throws(SourceError) {
            var addresses: [GitAddress] = []
            for url in urls { addresses.append(try GitAddress(parsing: url, ref: ref, paths: paths)) }
            if let twice = addresses.enumerated().first(where: { addresses[..<$0.offset].contains($0.element) }) {
                throw SourceError(.refused, "\(twice.element.name): is given twice")
            }
            return addresses
        } catch {
            throw ValidationError("\(error.message).")
        }
    }

    /// Whose signature a commit must have; nil for none.
    func allowed() throws(SourceError) -> GitSigners? { signers.isEmpty ? nil : try GitSigners(signers) }

    /// The repositories; asks nobody. An error is a file of signers that cannot be used, or contradictions in the environment.
    func sources(
        _ addresses: [GitAddress], under place: String, poll: Duration, _ program: Program
    ) throws(SourceError) -> [GitSource] {
        let access = try GitAccess(environment: program.variables)
        let signers = try allowed()
        return addresses.map {
            GitSource(
                $0, under: place, poll: poll, clock: program.reconciler.clock, access: access, signers: signers,
                filesRead: Program.filesRead)
        }
    }
}

/// The `System` objects of a cluster, instead of files.
struct ClusterOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "The System objects of a cluster instead of files; the loop and --once write their status: kubectl get systems. The cluster is found as kubectl finds it, or is the pod's own."
        ))
    var cluster = false

    @Option(
        name: .customLong("namespace"), parsing: .singleValue,
        help: ArgumentHelp(
            "With --cluster: only the objects of this namespace. May be given more than once. Default: all.", valueName: "name"))
    var namespaces: [String] = []

    @Option(
        help: ArgumentHelp(
            "With --cluster or --mirror: the kubeconfig's context, also for what names none itself. Default: the current one.",
            valueName: "name"))
    var context: String?

    @Option(
        name: .customLong("allow-target-namespace"), parsing: .singleValue,
        help: ArgumentHelp(
            "With --cluster: a namespace in which targets may be beside the object's own; CONTEXT/NAME in another cluster, * for all. May be given more than once.",
            valueName: "name"))
    var allowed: [String] = []

    @Option(
        name: .customLong("share-git-credentials"), parsing: .singleValue,
        help: ArgumentHelp(
            "With --cluster: a Git host that is shown Belay's own credentials (BELAY_GIT_TOKEN, BELAY_GIT_SSH_KEY_FILE, those of git and ssh) for the migrations of any System object. May be given more than once. Default: none; an object names a Secret.",
            valueName: "host"))
    var sharedHosts: [String] = []

    func check(beside specs: SpecOptions, _ repository: GitOptions? = nil, _ mirror: MirrorOptions? = nil) throws {
        guard cluster else {
            if let option = !namespaces.isEmpty
                ? "--namespace"
                : context != nil && mirror?.name == nil
                    ? "--context" : !allowed.isEmpty ? "--allow-target-namespace" : sharedHosts.isEmpty ? nil : "--share-git-credentials"
            {
                throw ValidationError("\(option) belongs to --cluster.")
            }
            return
        }
        if !specs.files.isEmpty { throw ValidationError("Name the specs by -f or by --cluster, not by both.") }
        if let repository, !repository.urls.isEmpty { throw ValidationError("Name the specs by --git or by --cluster, not by both.") }
        for host in sharedHosts where host.isEmpty || host.contains(where: { "/@".contains($0) }) {
            throw ValidationError("--share-git-credentials takes a host such as git.example, with its port where the URL names one.")
        }
        for name in namespaces where name.isEmpty || name.contains("/") {
            throw ValidationError("--namespace takes the name of one namespace.")
        }
    }
}

/// What specs from elsewhere are shown as.
struct MirrorOptions: ParsableArguments {
    @Option(
        name: .customLong("mirror"),
        help: ArgumentHelp(
            "With -f or --git: show every system as a System object of the cluster, with the label belay.dev/mirror=NAME, which carries its status. Default: not shown.",
            valueName: "name"))
    var name: String?

    func check(beside cluster: ClusterOptions, isLoop: Bool, isNamed: Bool) throws {
        guard let name else { return }
        guard StringRule.label.accepts(name) else {
            throw ValidationError("--mirror takes a name: \(StringRule.label.hint).")
        }
        if cluster.cluster { throw ValidationError("--mirror belongs to -f or --git: with --cluster the objects are the specs.") }
        if !isLoop { throw ValidationError("--mirror belongs to the loop: leave --once out, or --mirror.") }
        if !isNamed { throw ValidationError("--mirror shows the systems of specs: name them with -f PATH or --git URL.") }
    }
}

/// How the loop keeps watch.
struct WatchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How often a system is looked at though nothing changed. Default: 5m.", valueName: "duration"))
    var resync: TimeLimit?

    @Option(
        help: ArgumentHelp(
            "How often a repository is asked for news: of --git, and those of migrations. Default: 30s.", valueName: "duration"))
    var poll: TimeLimit?

    @Option(help: ArgumentHelp("How many systems are worked on at once. Default: 8.", valueName: "number"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp(
            "How long the steps under way may take when the loop is to end. Default: 25s; give a pod more than that to end.",
            valueName: "duration"))
    var grace: TimeLimit?

    @Option(
        help: ArgumentHelp(
            "Serve health, metrics and webhooks here, such as :8080 (every address of the machine) or 127.0.0.1:8080. Default: nothing is served.",
            valueName: "address"))
    var listen: GivenAddress?

    func validate() throws {
        if let concurrency, !(1...256).contains(concurrency) { throw ValidationError("--concurrency is a number from 1 to 256.") }
    }

    /// The option that was given and means nothing without the loop; nil when none was.
    var given: String? {
        resync != nil
            ? "--resync"
            : poll != nil
                ? "--poll"
                : concurrency != nil
                    ? "--concurrency"
                    : grace != nil
                        ? "--grace" : listen != nil ? "--listen" : nil
    }

    /// What is to be served; nil when nothing is.
    func served() throws -> Served? {
        guard let listen else { return nil }
        let variables = ProcessInfo.processInfo.environment
        do throws(ServingError) {
            return try Served(on: listen.address, variables, now: Program.now)
        } catch {
            Output(variables: variables, secrets: []).error(error.message)
            throw ExitCode(.failure)
        }
    }
}

/// An address on the command line: `:8080`.
struct GivenAddress: ExpressibleByArgument {
    var address: ListenAddress

    init?(argument: String) {
        guard let address = ListenAddress(argument) else { return nil }
        self.address = address
    }
}

/// How much of a provider is used at once.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("provider-concurrency"),
        help: ArgumentHelp(
            "How many requests of one provider account are under way at once, over all systems. Default: 128.", valueName: "number"))
    var perAccount: Int?

    func validate() throws {
        if let perAccount, !(1...256).contains(perAccount) {
            throw ValidationError("--provider-concurrency is a number from 1 to 256.")
        }
    }
}
