import Execution
import Model
import Planning
import ProviderKit
import State
import TestDoubles

/// A fleet of machines behind one component, and the passes over it.
final class Fleet: @unchecked Sendable {
    let world: FakeFleet
    let session = MemorySession()
    var release: String
    var isFenced: Bool
    private let values: [String: String]
    private let isExact: Bool
    private let time = VirtualTime()
    private let ids = Counter()

    init(
        _ world: FakeFleet, values: [String: String] = [:], isExact: Bool = false, release: String = "v2", isFenced: Bool = true
    ) {
        self.world = world
        self.values = values
        self.isExact = isExact
        self.release = release
        self.isFenced = isFenced
    }

    private var system: System {
        System(
            id: SystemID(name: "shop"),
            components: [
                Component(
                    name: "web", target: FakeTarget(identity: "web"), release: .name(release),
                    configuration: Configuration(
                        sources: values.mapValues(Configuration.Source.literal), policy: isExact ? .exact : .named),
                    isFenced: isFenced)
            ])
    }

    /// Tells the key and the length of a value: enough to tell values apart here, and no value.
    static let keeper = ConfigurationKeeper { key, value in
        ConfigurationEntry(fingerprint: "\(key)/\(value.reveal().utf8.count)")
    }

    private var desired: DesiredConfiguration? {
        guard !values.isEmpty else { return nil }
        var desired = DesiredConfiguration(isExact: isExact)
        for (key, value) in values {
            desired.values[key] = .init(
                Secret(value), isReference: key.hasPrefix("SECRET"), fingerprint: "\(key)/\(value.utf8.count)")
        }
        return desired
    }

    private func observed() async -> World {
        var observed = World()
        for component in system.components {
            observed.components[component.id] = await AnyProvider(world).observe(
                component,
                ObservationRequest(component, recorded: session.state, configuration: desired, keeper: Self.keeper))
        }
        return observed
    }

    func planned() async -> Plan {
        plan(system, revision: .example, observed: await observed(), recorded: session.state)
    }

    /// What the first contact with a system that is in sync leaves behind.
    func recordBaseline() async {
        let observed = await observed()
        let plan = plan(system, revision: .example, observed: observed, recorded: session.state)
        guard let entry = acceptance(of: plan, for: system, in: observed, recorded: session.state, at: .example) else { return }
        try? await session.append(entry, at: .example)
    }

    /// - Parameters:
    ///   - death: where the process dies.
    ///   - promise: why nothing may be done that has to be undone.
    func pass(
        _ death: Death = Death(at: nil), promise: @escaping @Sendable () async -> Problem? = { nil }
    ) async -> PassResult {
        let (system, desired, ids, time) = (system, desired, ids, time)
        let session = MortalSession(inner: session, death: death, time: time)
        let world = MortalProvider(inner: world, death: death)
        let observed = await observed()
        return await time.run {
            for entry in settlements(of: await session.state, in: observed) { try? await session.append(entry, at: .example) }
            // A key whose write was found to have taken effect is known now.
            let again = await self.observed()
            let plan = plan(system, revision: .example, observed: again, recorded: await session.state)
            let executor = Executor(
                providers: ["fake": AnyProvider(world)], transport: FakeTransport(), clock: time, now: { .example },
                newID: { "id\(ids.next())" }, promise: promise)
            return await executor.run(
                plan, system: system, configurations: desired.map { [.component("web"): $0] } ?? [:], keeper: Self.keeper, in: session)
        }
    }
}

extension FakeFleet {
    /// The writes that took effect, in their order, without their intents.
    var parts: [String] {
        now.effects.map { effect in
            let words = effect.split(separator: " ")
            return words.prefix(2).joined(separator: " ")
        }
    }
}
