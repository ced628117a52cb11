import AllProviders
import ArgumentParser
import ClusterState
import ConfigurationValues
import ControlLoop
import CurlTransport
import DatabaseState
import Dispatch
import Flags
import FoundationEssentials
import GitMigrations
import JSONValues
import KubernetesAPI
import KubernetesProvider
import Migrations
import Model
import ProviderKit
import Reporting
import Serving
import Sources
import SpecFields
import SpecLoading
import State

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The parts of the program, put together for one command.
struct Program: Sendable {

    let variables: [String: String]
    let output: Output
    let reconciler: Reconciler
    let userAgent: String
    /// Those that specs name for their migrations.
    let repositories: MigrationRepositories
    /// As given by `--state`.
    private let stateDirectory: String?

    /// - Parameters:
    ///   - context: of a kubeconfig, for whatever names none itself.
    ///   - usualPlace: where the state of systems is whose spec names no place; nil for the user's own directory.
    ///   - served: counts the requests; nil counts nothing.
    ///   - accountLimit: how many requests of one provider account are under way at once.
    ///   - poll: how often a repository of migrations is asked for news.
    ///   - signers: whose signature its commits must have; nil for none.
    init(
        stateDirectory directory: String? = nil, context: String? = nil, usualPlace: StatePlace? = nil, served: Served? = nil,
        accountLimit: Int? = nil, poll: Duration = .seconds(30), signers: GitSigners? = nil
    ) {
        stateDirectory = directory
        // Writing to a reader that went away is an error of that write, not the end of a rollback.
        signal(SIGPIPE, SIG_IGN)
        var environmentVariables = ProcessInfo.processInfo.environment
        if let context { environmentVariables[ClusterConnection.contextVariable] = context }
        let variables = environmentVariables
        self.variables = variables
        output = Output(
            variables: variables,
            secrets: (allProviders.flatMap(\.secretVariables) + FlagStores.secretVariables).compactMap { variables[$0] }
                + [ConfigurationKey.variable, GitAddress.tokenVariable].compactMap { variables[$0] }
                + WebhookSecrets.variables.flatMap { (variables[$0] ?? "").split(whereSeparator: \.isWhitespace).map(String.init) })
        let userAgent = "belay/\(Version.current)"
        self.userAgent = userAgent
        let transport = CurlTransport(configuration: .init(userAgent: userAgent))
        let now = Self.now
        let operatorKey: Result<ConfigurationKey?, Problem>
        do throws(Problem) {
            operatorKey = .success(try ConfigurationKey.fromEnvironment(variables))
        } catch {
            operatorKey = .failure(error)
        }
        let limits = AccountLimits(accountLimit ?? AccountLimits.usual)
        /// What a provider, or another client, gets: its requests are counted as its own, and limited with those of its account.
        func environment(of client: String) -> ProviderEnvironment {
            let environment = ProviderEnvironment(variables: variables, transport: transport, now: now, userAgent: userAgent)
            return limits.limiting(served?.counting(environment, as: client) ?? environment)
        }
        let values = ConfigurationReader(variables: variables, readSecret: KubernetesSecretReading(environment(of: "secrets")).read)
        let addresses: FlagDatabases.AddressReading = { source, name in
            await values.value(of: source, for: "database/\(name): its address")
        }
        let answers = GitAnswers()
        let repositories = MigrationRepositories(
            under: { () throws(SourceError) in
                do throws(StateError) { return try StateDirectory.root(given: directory, environment: variables) } catch {
                    throw SourceError(.unreadable, error.description)
                }
            }, poll: poll, signers: signers, environment: variables, values: { await values.value(of: $0, for: $1) })
        self.repositories = repositories
        let flagStores = FlagStores(environment(of: "flags"))
        let flagDatabases = FlagDatabases(address: addresses)
        let clusterStates = ClusterStates(
            ClusterEnvironment(variables: variables, now: now), transport: transport, userAgent: userAgent)
        reconciler = Reconciler(
            providers: ProviderRegistry(
                allProviders.map { limits.limiting($0) }.map { served?.counting($0) ?? $0 },
                environment: ProviderEnvironment(variables: variables, transport: transport, now: now, userAgent: userAgent)),
            store: { system throws(StateError) in
                try Self.store(of: system, given: directory, else: usualPlace, variables, clusterStates) {
                    await values.value(of: $0, for: "\($1): its address")
                }
            },
            values: values, operatorKey: operatorKey,
            schemaDriver: MigrationsDriver(
                history: { GitMigrationHistory($0, answers: answers, git: await repositories.git(for: $0)) }, address: addresses),
            flagStore: { system, flags in
                flagStores.store(for: flags.store, connect: flagDatabases.connector(of: system.databases))
            },
            backups: { system in
                let root = try? StateDirectory.root(given: directory ?? system.statePlace?.directory, environment: variables)
                // A state in a database needs no home, and then backups go where the command runs.
                return "\(root ?? ".")/backups"
            }, transport: environment(of: "checks").transport, clock: ContinuousClock(),
            // A system that is observed takes a megabyte for every twenty components, and 64 of them keep every account busy.
            now: now, looking: Places(64))
    }

    /// The time of day, for records and for people.
    static let now: @Sendable () -> Timestamp = {
        Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// Where the state of a system is: the directory that was given, else the place that the spec names, else the usual one, else the user's
    /// own directory.
    private static func store(
        of system: System, given directory: String?, else usualPlace: StatePlace?, _ variables: [String: String], _ clusters: ClusterStates,
        _ address: @escaping @Sendable (Configuration.Source, ResourceID) async -> Result<Secret, Problem>
    ) throws(StateError) -> any StateStore {
        let place = directory.map(StatePlace.directory) ?? system.statePlace ?? usualPlace
        switch place {
        case .cluster(let namespace, let context)?: return try clusters.store(of: system.id, namespace: namespace, context: context)
        case .database(let name)?:
            if let database = system.databases.first(where: { $0.name == name }) {
                return DatabaseStateStore(system.id, in: database) { await address($0, database.id) }
            }
        case .directory?, nil: break
        }
        let root = try StateDirectory.root(given: place?.directory, environment: variables)
        return DirectoryStateStore(StateDirectory(root: root, system: system.id))
    }

    /// What the specs hold, with the source that they came from.
    func load(_ paths: [String]) async throws(SourceError) -> (source: PathSource, snapshot: Snapshot, loaded: LoadResult) {
        let source = PathSource(paths)
        let snapshot = try await source.snapshot()
        return (source, snapshot, Self.loader.load(snapshot.files))
    }

    /// Reads every kind of target that there is.
    static var loader: SpecLoader { SpecLoader(targets: allProviders.map(\.targetKind), flagTargets: FlagStores.kinds) }

    /// What specs read beside themselves.
    static let filesRead: FilesRead = { files in Set(loader.load(files).systems.flatMap(\.filesRead)).sorted() }

    /// The systems to work on, or nil after every reason against it has been told: as lines, and as a list of errors where JSON is asked for.
    ///
    /// - Parameter readsMigrations: false for what has no use for migrations: then no host of a repository is waited for.
    func systems(
        _ specs: SpecOptions, _ form: OutputForm, readsMigrations: Bool = true
    ) async -> (source: PathSource, snapshot: Snapshot, systems: [System])? {
        let source = PathSource(specs.files)
        guard let (snapshot, systems) = await systems(in: source, specs, form, readsMigrations: readsMigrations) else { return nil }
        return (source, snapshot, systems)
    }

    /// The same, of any source.
    ///
    /// - Parameter isOneOfSeveral: whether the system that was chosen may be in another source.
    func systems(
        in source: any SpecSource, _ specs: SpecOptions, _ form: OutputForm, isOneOfSeveral: Bool = false, readsMigrations: Bool = true
    ) async -> (snapshot: Snapshot, systems: [System])? {
        func refused(_ errors: [String], _ conclusion: String?) -> (snapshot: Snapshot, systems: [System])? {
            if conclusion != nil { for error in errors { output.progress("\(error)\n") } }
            output.error(conclusion ?? errors.joined(separator: "\n"))
            if form == .json { output.result(.list("ErrorList", errors.map { ["message": .string($0)] })) }
            return nil
        }
        do throws(SourceError) {
            var snapshot = try await source.snapshot()
            var loading = loading(snapshot, specs)
            let repositories = Set(readsMigrations ? loading.systems.flatMap(\.repositoriesRead) : [])
            if !repositories.isEmpty {
                snapshot = snapshot.with(await self.repositories.read(repositories))
                loading.systems = loading.systems.map(snapshot.completed)
            }
            let troubles = (snapshot.trouble.map { [$0.message] } ?? []) + snapshot.troublesOfMigrations
            for note in troubles + snapshot.notes + loading.notes { output.progress("note: \(note)\n") }
            guard loading.mistakes.isEmpty else {
                let count = loading.mistakes.count
                return refused(loading.mistakes, "\(count == 1 ? "one mistake" : "\(count) mistakes") in the specs; nothing was done")
            }
            guard !loading.systems.isEmpty || isOneOfSeveral else {
                let names = Self.loader.load(snapshot.files).systems.map(\.id.description).joined(separator: ", ")
                return refused(["no system is named \(specs.system ?? ""); there are: \(names)"], nil)
            }
            tellPassedOverState(of: loading.systems)
            return (snapshot, loading.systems)
        } catch {
            return refused([error.message], nil)
        }
    }

    /// Says why nothing is done: as one error, and as a list where JSON is asked for.
    func tell(_ mistakes: [String], _ form: OutputForm) {
        output.error(mistakes.joined(separator: "\n"))
        if form == .json { output.result(.list("ErrorList", mistakes.map { ["message": .string($0)] })) }
    }

    /// What the files of a snapshot hold, of the systems that were chosen.
    func loading(_ snapshot: Snapshot, _ specs: SpecOptions) -> Loading {
        let loaded = Self.loader.load(snapshot.files)
        let systems = loaded.systems.filter { specs.names($0.id) }
        var mistakes = loaded.diagnostics.map { snapshot.plain($0.description) }
        if let checkout = snapshot.checkout, mistakes.isEmpty {
            mistakes = systems.flatMap { $0.filesKept(in: checkout) }.map(snapshot.plain)
        }
        return Loading(systems: systems.map(snapshot.completed), mistakes: mistakes, notes: loaded.notes)
    }

    /// Two places of state know nothing of each other, and exclude nobody.
    func tellPassedOverState(of systems: [System]) {
        guard let given = stateDirectory else { return }
        for system in systems {
            let place: String
            switch system.statePlace {
            case .database(let name)?: place = "database/\(name)"
            case .cluster?: place = "the cluster"
            case .directory?, nil: continue
            }
            output.progress("note: \(system.id): its state is read and written in \(given), not in \(place) as the spec says: --state\n")
        }
    }

    /// Runs `body` and cancels it on SIGINT or SIGTERM: it ends at its next safe point. A second signal ends the process at once.
    func untilInterrupted<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await body() }
        let sources = Self.onSignal {
            // First, because it ends a live display, whose next redraw would erase these words.
            task.cancel()
            output.progress("\ninterrupted: ending at the next safe point; once more to end at once\n")
        }
        defer { for source in sources { source.cancel() } }
        return await task.value
    }

    /// Calls `handler` on the first SIGINT or SIGTERM, until the sources are cancelled; a second signal ends the process at once.
    static func onSignal(_ handler: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        let numbers = [SIGINT, SIGTERM]
        return numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                handler()
                for number in numbers { signal(number, SIG_DFL) }
            }
            source.resume()
            return source
        }
    }
}
