import ControlLoop
import Execution
import FoundationEssentials
import HTTPCore
import Model
import ProviderKit
import Sources
package import SpecFields
import State
import Synchronization
package import TestDoubles

/// Everything around one reconciler: a fake provider, a real state directory, virtual time.
final class Stage: Sendable {
    let time: VirtualTime
    let world: FakeWorld
    let transport: any Transport
    let pace: Pace
    private let looking: Places?
    private let root: String

    init(
        _ places: [String: FakeWorld.Place] = ["web": .init()], transport: any Transport = FakeTransport(), pace: Pace = Pace(),
        looking: Places? = nil,
        answer: @escaping @Sendable (String, Int, ApplyRequest) async -> FakeWorld.Answer = { _, _, _ in .accepted },
        look: @escaping @Sendable (String, Int, Observation) async -> Observation = { $2 }
    ) throws {
        let time = VirtualTime()
        self.time = time
        world = FakeWorld(places, now: { time.now.offset }, answer: answer, look: look)
        self.transport = transport
        self.pace = pace
        self.looking = looking
        root = FileManager.default.temporaryDirectory.path + "/belay-loop-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var directory: StateDirectory { StateDirectory(root: root, system: SystemID(name: "shop")) }
    var store: DirectoryStateStore { DirectoryStateStore(directory) }

    var reconciler: Reconciler {
        let world = world
        let fake = ProviderRegistration(FakeWorld.self, doc: "", secretVariables: []) { _ in .success(world) }
        let barred = ProviderRegistration(BarredProvider.self, doc: "", secretVariables: []) { _ in .failure(.tokenMissing) }
        let environment = ProviderEnvironment(variables: [:], transport: transport, now: { .example })
        return Reconciler(
            providers: ProviderRegistry([fake, barred], environment: environment),
            store: { [root, time] system in
                StandingStore(inner: DirectoryStateStore(StateDirectory(root: root, system: system.id)), time: time)
            }, transport: transport, clock: time, now: { .example }, looking: looking)
    }

    func options(
        adopts: Bool = false, forces: Bool = false, isSuperseded: @escaping @Sendable () async -> Bool = { false }
    ) -> PassOptions {
        PassOptions(adopts: adopts, forces: forces, holder: .make(), pace: pace, isSuperseded: isSuperseded)
    }

    /// One pass.
    func pass(
        _ system: System = .make(), at revision: Revision = .example, relation: RevisionRelation = .same,
        asked: RevisionRelation? = nil, _ options: PassOptions? = nil
    ) async -> PassReport {
        let options = options ?? self.options()
        return await time.run { [reconciler] in
            await reconciler.pass(
                system, of: Snapshot(revision: revision, files: []), from: FakeSource(relation: relation, asked: asked), options,
                events: { _ in })
        }
    }

    /// Passes until it is settled; the waits go to `waits`.
    func reconcile(
        _ system: System = .make(), within timeout: Duration = .seconds(1800), _ options: PassOptions? = nil,
        waits: Log<Duration> = Log(), waiting: @escaping @Sendable () -> Void = {}
    ) async -> PassReport {
        let options = options ?? self.options()
        return await time.run { [reconciler] in
            await reconciler.reconcile(
                system, of: Snapshot(revision: .example, files: []), from: FakeSource(relation: .same), within: timeout, options,
                waiting: { _, pause in
                    waits.append(pause)
                    waiting()
                }, events: { _ in })
        }
    }

    /// Records that the system is known and was in sync with `v1` at the example revision.
    func accept(_ more: JournalEntry..., at revision: Revision = .example) async throws {
        let session = try await store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        try await session.append(.accepted(.init(revision: revision)), at: .example)
        for entry in more { try await session.append(entry, at: .example) }
        await session.release()
    }

    /// What was written, as `receipt void` and the kinds alone of the others.
    func journal() async throws -> [String] {
        try await store.history().map { record in
            if case .receipt(let receipt) = record.entry { "receipt \(receipt.ending.rawValue)" } else { record.entry.kind.rawValue }
        }
    }
}

/// What callbacks were told.
final class Log<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    func append(_ item: Item) { items.withLock { $0.append(item) } }
    var all: [Item] { items.withLock { $0 } }
}

struct FakeSource: SpecSource {
    var relation: RevisionRelation
    /// What the host tells; nil where it tells no more.
    var asked: RevisionRelation?
    func snapshot() async throws(SourceError) -> Snapshot { Snapshot(revision: .example, files: []) }
    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation { relation }
    func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation { asked ?? relation }
}

extension FakeTarget: SpecObject {
    package init(_ fields: inout Fields) { self.init(identity: fields.required("identity", "Its name.")) }
}

struct BarredTarget: Target, SpecObject {
    static let provider = "barred"
    var identity: String
    init(identity: String) { self.identity = identity }
    init(_ fields: inout Fields) { self.init(identity: fields.required("identity", "Its name.")) }
}

/// A provider that nobody can connect to.
struct BarredProvider: Provider {
    func observe(_ target: BarredTarget, _ request: ObservationRequest) async -> Observation { .unknown(.tokenMissing) }
    func apply(_ change: ReleaseChange, to target: BarredTarget, _ request: ApplyRequest) async -> ApplyResult { .refused(.tokenMissing) }
}

extension Problem {
    static let tokenMissing = Problem("TokenMissing", "barred/docs: no token is set", next: "set BARRED_TOKEN")
    static let unreachable = Problem("ProviderError", "fake/web: 502 while reading releases")
}

extension System {
    static func make(_ components: Component..., verify: [Check] = []) -> System {
        System(id: SystemID(name: "shop"), components: components.isEmpty ? [.make()] : components, verify: verify)
    }
}

extension Component {
    static func make(_ name: String = "web", _ release: String = "v2", after: [ResourceID] = [], verify: [Check] = []) -> Component {
        Component(name: name, target: FakeTarget(identity: name), release: .name(release), after: after, verify: verify)
    }
}

extension Check {
    static let example = Check(url: "https://shop.example/healthz")
}

extension Revision {
    static let example = Revision(.commit, String(repeating: "b", count: 40))
    static let older = Revision(.commit, String(repeating: "a", count: 40))
}

extension Timestamp {
    static let example = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)
}

extension LockHolder {
    static func make() -> LockHolder {
        LockHolder(user: "ann", host: "build-7", boot: "boot-1", pid: 4711, command: "reconcile --once", since: .example)
    }
}

extension Intent {
    static let example = Intent(
        id: "i1", resource: .component("web"), route: .fake("v2"),
        resolution: Resolution(pin: .name("v2"), identity: ArtifactIdentity(.image, "v2"), label: "v2", revision: .example),
        providerTime: nil, written: .example)
}
