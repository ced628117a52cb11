import AllProviders
import ConfigurationValues
import ControlLoop
import Execution
import FoundationEssentials
import HTTPCore
import JSONValues
import Model
import Planning
import ProviderKit
import Simulators
import Sources
import SpecFields
import SpecLoading
import State
import Synchronization
import TestDoubles

/// The real control loop over the real providers and the simulated vendors, in a time that passes when everybody waits.
final class Stage: Sendable {
    let time = VirtualTime()
    let vercel: VercelSimulator
    let kubernetes: KubernetesSimulator
    let fly: FlySimulator
    let render: RenderSimulator
    /// Where faults are put, and what arrived at the vendors.
    let wire: SimulatedTransport
    let meddler: Meddler
    let events = Log<ExecutionEvent>()
    /// How many releases each Deployment had at the beginning.
    let pastReleases: [String: Int]
    private let root: String
    private let variables: [String: String]

    /// - Parameters:
    ///   - world: by vendor, as in a world file.
    ///   - variables: of the process's environment, beside addresses and credentials.
    init(_ world: [String: JSON], variables: [String: String] = [:]) throws {
        let token = "stage-token-4711"
        let clock = StageClock(time: time)
        vercel = try VercelSimulator(world: world["vercel"] ?? [:], clock: clock, token: token)
        kubernetes = KubernetesSimulator(world: world["kubernetes"] ?? [:], clock: clock, token: token)
        fly = try FlySimulator(world: world["fly"] ?? [:], clock: clock, token: token)
        render = try RenderSimulator(world: world["render"] ?? [:], clock: clock, token: token)
        let addresses = (
            vercel: "http://vercel.test", kubernetes: "http://kubernetes.test", fly: "http://fly.test", render: "http://render.test"
        )
        let workloads = world["kubernetes"]?["workloads"]?.elements ?? []
        pastReleases = Dictionary(workloads.map { ($0["name"]?.string ?? "", $0["history"]?.elements.count ?? 1) }) { first, _ in first }
        wire = SimulatedTransport([
            addresses.vercel: vercel, addresses.kubernetes: kubernetes, addresses.fly: fly, addresses.render: render,
        ])
        meddler = Meddler(wire)
        root = FileManager.default.temporaryDirectory.path + "/belay-matrix-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let kubeconfig = root + "/kubeconfig"
        try Data(Self.kubeconfig(addresses.kubernetes, token).utf8).write(to: URL(filePath: kubeconfig))
        var variables = variables
        variables["VERCEL_API_URL"] = addresses.vercel
        variables["VERCEL_TOKEN"] = token
        variables["KUBECONFIG"] = kubeconfig
        for name in ["FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_API_BASE_URL", "FLY_REGISTRY_URL"] { variables[name] = addresses.fly }
        variables["FLY_API_TOKEN"] = token
        variables["RENDER_API_URL"] = addresses.render
        variables["RENDER_API_KEY"] = token
        self.variables = variables
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private static func kubeconfig(_ server: String, _ token: String) -> String {
        """
        {"clusters": [{"name": "test", "cluster": {"server": "\(server)"}}],
         "users": [{"name": "belay", "user": {"token": "\(token)"}}],
         "contexts": [{"name": "test", "context": {"cluster": "test", "user": "belay"}}], "current-context": "test"}
        """
    }

    // MARK: - Passes

    private var store: DirectoryStateStore { DirectoryStateStore(StateDirectory(root: root, system: SystemID(name: "shop"))) }

    /// What a new process would have: nothing is kept from one pass to the next but the state directory.
    private var reconciler: Reconciler {
        let now: @Sendable () -> Timestamp = { [time] in Timestamp(millisecondsSinceEpoch: StageClock(time: time).milliseconds) }
        return Reconciler(
            providers: ProviderRegistry(
                allProviders,
                environment: ProviderEnvironment(variables: variables, transport: meddler, now: now, clock: time)),
            store: { [store, time] _ in StandingStore(inner: store, time: time) },
            values: ConfigurationReader(variables: variables), transport: meddler, clock: time, now: now)
    }

    /// Passes until one says that everything is in place, with pauses of at most a minute; at most `limit` of them.
    @discardableResult
    func reconcile(_ spec: Spec, passes limit: Int = 12) async throws -> Ended {
        let system = try spec.system
        let pace = Pace(firstPause: .seconds(1), longestPause: .seconds(10))
        let holder = LockHolder(
            user: "ann", host: "build-7", boot: "boot-1", pid: 4711, command: "reconcile --once",
            since: Timestamp(millisecondsSinceEpoch: 0))
        return await time.run { [self] in
            var pause = Duration.seconds(5)
            var count = 0
            while true {
                count += 1
                let report = await reconciler.pass(
                    system, of: Snapshot(revision: spec.revision, files: []), from: History(),
                    PassOptions(adopts: true, holder: holder, pace: pace), events: { [events] in events.append($0) })
                guard report.verdict != .inSync || report.again != nil, count < limit else { return Ended(report: report, passes: count) }
                try? await time.sleep(for: pause)
                pause = min(pause * 2, .seconds(60))
            }
        }
    }

    struct Ended: Sendable {
        var report: PassReport
        var passes: Int
    }

    /// Lets time pass.
    func wait(_ duration: Duration) async throws { try await time.run { [time] in try await time.sleep(for: duration) } }

    /// What was recorded, the kinds with what tells them apart: `receipt accepted`.
    func journal() async throws -> [String] {
        try await store.history().map { record in
            switch record.entry {
            case .receipt(let receipt): "receipt \(receipt.ending.rawValue)"
            case .fence(let fencing): "fence \(fencing.stage.rawValue)"
            default: record.entry.kind.rawValue
            }
        }
    }

    func recorded() async throws -> RecordedState { try await store.load() }

    var drifts: [Drift] {
        events.all.compactMap { event in
            if case .drifted(let drift) = event { drift } else { nil }
        }
    }

    /// How many requests were sent that may change something.
    var sentWrites: Int { wire.received.count { !$0.method.isSafe && !$0.path.hasSuffix("/graphql") } }
}

/// The vendors live in the same time as the loop.
struct StageClock: SimulatedClock {
    var time: VirtualTime
    /// 2026-11-23T00:00:00Z and what has passed.
    var milliseconds: Int64 { 1_795_392_000_000 + Int64(time.now.offset / .milliseconds(1)) }
}

/// One commit of the spec.
struct Spec: Sendable {
    /// The members of `components`, in YAML's flow style: `web: {vercel: {project: shop}, release: dpl_A}`.
    var components: String
    /// Later commits have greater numbers.
    var number: Int

    init(_ number: Int, _ components: String...) {
        self.number = number
        self.components = components.joined(separator: ", ")
    }

    var revision: Revision { Revision(.commit, String(repeating: "0", count: 39) + String(number % 10)) }

    struct Mistake: Error { var text: String }

    var system: System {
        get throws {
            let text = "{apiVersion: belay.dev/v1alpha1, kind: System, metadata: {name: shop}, spec: {components: {\(components)}}}"
            let loaded = SpecLoader(targets: allProviders.map(\.targetKind)).load([SourceFile(name: "shop.yaml", bytes: Array(text.utf8))])
            guard let system = loaded.systems.first, loaded.diagnostics.isEmpty else {
                throw Mistake(text: loaded.diagnostics.map(\.description).joined(separator: "\n") + "\n" + text)
            }
            return system
        }
    }
}

/// Every commit follows the one with the smaller number.
struct History: SpecSource {
    func snapshot() async throws(SourceError) -> Snapshot { Snapshot(revision: Revision(.commit, "0"), files: []) }
    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        older.id == newer.id ? .same : older.id < newer.id ? .ancestor : .descendant
    }
}

/// What callbacks were told.
final class Log<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    func append(_ item: Item) { items.withLock { $0.append(item) } }
    var all: [Item] { items.withLock { $0 } }
}
