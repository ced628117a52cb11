import Execution
import HTTPCore
import Model
import Planning
import ProviderKit
import State
import Synchronization
import TestDoubles

/// Everything around one executor, with defaults.
struct Pass: Sendable {
    var time = VirtualTime()
    var system = System.make()
    var session = MemorySession()
    var transport: any Transport = FakeTransport()
    var pace = Pace()
    var isSuperseded: @Sendable () async -> Bool = { false }
    let events = EventLog()

    /// Runs a plan against a world; by default the plan that the planner makes for it.
    func run(_ world: FakeWorld, _ plan: Plan? = nil) async -> PassResult {
        let ids = Counter()
        return await time.run { [self] in
            let chosen = if let plan { plan } else { await planned(world) }
            let executor = Executor(
                providers: ["fake": AnyProvider(world)], transport: transport, clock: time, now: { .example }, pace: pace,
                newID: { "id\(ids.next())" }, isSuperseded: isSuperseded, events: { events.append($0) })
            return await executor.run(chosen, system: system, in: session)
        }
    }

    func planned(_ world: FakeWorld) async -> Plan {
        let recorded = session.state
        return plan(system, revision: .example, observed: await observed(world, recorded), recorded: recorded)
    }

    func observed(_ world: FakeWorld, _ recorded: RecordedState) async -> World {
        var observed = World()
        for component in system.components {
            observed.components[component.id] = await AnyProvider(world).observe(
                component, ObservationRequest(component, recorded: recorded))
        }
        return observed
    }

    func world(
        _ places: [String: FakeWorld.Place] = ["web": .init()],
        answer: @escaping @Sendable (String, Int, ApplyRequest) async -> FakeWorld.Answer = { _, _, _ in .accepted },
        look: @escaping @Sendable (String, Int, Observation) async -> Observation = { $2 }
    ) -> FakeWorld {
        FakeWorld(places, now: { [time] in time.now.offset }, answer: answer, look: look)
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

final class EventLog: Sendable {
    private let log = Mutex<[ExecutionEvent]>([])
    func append(_ event: ExecutionEvent) { log.withLock { $0.append(event) } }
    var all: [ExecutionEvent] { log.withLock { $0 } }
}

extension System {
    static func make(_ components: Component..., verify: [Check] = []) -> System {
        System(id: SystemID(name: "shop"), components: components.isEmpty ? [.make()] : components, verify: verify)
    }
}

extension Component {
    static func make(
        _ name: String = "web", _ release: String = "v2", after: [ResourceID] = [], verify: [Check] = []
    ) -> Component {
        Component(name: name, target: FakeTarget(identity: name), release: .name(release), after: after, verify: verify)
    }
}

extension Resolution {
    static func make(_ name: String = "v2") -> Resolution {
        Resolution(pin: .name(name), identity: ArtifactIdentity(.image, name), label: name, revision: .example)
    }
}

extension Intent {
    static func make(_ id: String = "i1", _ resource: ResourceID = .component("web")) -> Intent {
        Intent(id: id, resource: resource, route: .fake("v2"), resolution: .make(), providerTime: nil, written: .example)
    }
}

extension Check {
    static func make(within: Duration = .seconds(60), consecutive: Int = 1, json: [Expectation] = [], body: String? = nil) -> Check {
        Check(url: "https://shop.example/healthz", body: body, json: json, within: within, consecutive: consecutive)
    }
}

extension Revision {
    static let example = Revision(.commit, String(repeating: "a", count: 40))
}

extension Timestamp {
    static let example = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)
}
