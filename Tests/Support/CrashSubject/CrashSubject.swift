import AllProviders
import ConfigurationValues
import ControlLoop
import CurlTransport
import DatabaseState
import Execution
import FoundationEssentials
import Migrations
import Model
import Planning
import ProviderKit
import Sources
import SpecFields
import SpecLoading
import State

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `reconcile --once` put together from the same parts, with places where it can be killed. Never shipped.
///
///     crash-subject SPEC STATE SPEED [BOUNDARY:NUMBER]
///
/// STATE is a directory, or `spec` for the database that the spec names, there with a lease of one second.
///
/// Its time passes so much faster than the real one, as that of the vendors does. Ends with the exit status of the pass; prints how many boundaries it went through.
@main
struct CrashSubject {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let speed = Double(arguments[3]) else { exit(64) }
        let trigger = CrashTrigger(arguments.count > 4 ? CrashPoint(arguments[4]) : nil)
        let clock = FastClock(speed: speed)
        let variables = ProcessInfo.processInfo.environment
        let transport = CrashingTransport(inner: CurlTransport(), trigger: trigger)
        let now: @Sendable () -> Timestamp = { Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000)) }
        let root = arguments[2]
        let values = ConfigurationReader(variables: variables)
        let reconciler = Reconciler(
            providers: ProviderRegistry(
                allProviders,
                environment: ProviderEnvironment(variables: variables, transport: transport, now: now, clock: clock)),
            store: { system throws(StateError) in
                guard root == "spec", case .database(let name)? = system.statePlace,
                    let database = system.databases.first(where: { $0.name == name })
                else { return CrashingStore(inner: DirectoryStateStore(StateDirectory(root: root, system: system.id)), trigger: trigger) }
                let store = DatabaseStateStore(system.id, in: database, lease: .seconds(1)) { await values.value(of: $0, for: name) }
                return CrashingStore(inner: store, trigger: trigger)
            },
            values: values, schemaDriver: MigrationsDriver { source, name in await values.value(of: source, for: name) },
            backups: { _ in root + "/backups" }, transport: transport, clock: clock, now: now)
        let source = PathSource([arguments[1]])
        let snapshot = try await source.snapshot()
        let loaded = SpecLoader(targets: allProviders.map(\.targetKind)).load(snapshot.files)
        guard let system = loaded.systems.first, loaded.diagnostics.isEmpty else {
            print(loaded.diagnostics.map(\.description).joined(separator: "\n"))
            exit(64)
        }
        let holder = LockHolder.current(command: "crash-subject", environment: variables, since: now())
        let options = PassOptions(adopts: true, holder: holder)
        let report = await reconciler.reconcile(system, of: snapshot, from: source, within: .seconds(60) * speed, options) { _ in }
        print("journal \(trigger.count(.journalBefore)) writes \(trigger.count(.writeBefore))")
        for problem in report.problems { print(problem.description) }
        // As the program ends: without the handlers of `exit`.
        fflush(nil)
        _exit(report.verdict.exitStatus)
    }
}
