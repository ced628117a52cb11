public import HTTPCore
public import Model
import Planning
public import ProviderKit
public import State

/// Brings systems to their pins, one pass at a time.
public struct Reconciler: Sendable {
    public var providers: ProviderRegistry
    /// Where a system's state is kept.
    public var store: @Sendable (System) throws(StateError) -> any StateStore
    /// For health checks.
    public var transport: any Transport
    public var clock: any Clock<Duration>
    public var now: @Sendable () -> Timestamp

    public init(
        providers: ProviderRegistry, store: @escaping @Sendable (System) throws(StateError) -> any StateStore, transport: any Transport,
        clock: any Clock<Duration>, now: @escaping @Sendable () -> Timestamp
    ) {
        self.providers = providers
        self.store = store
        self.transport = transport
        self.clock = clock
        self.now = now
    }

    /// Observes and plans; writes nothing, takes no lock.
    ///
    /// - Cost: one observation per component, all at once.
    public func survey(_ system: System, revision: Revision) async throws(StateError) -> Survey {
        let recorded = try await store(system).load()
        return await survey(system, revision: revision, recorded: recorded)
    }

    func survey(_ system: System, revision: Revision, recorded: RecordedState) async -> Survey {
        let world = await observe(system, recorded: recorded)
        let plan = plan(system, revision: revision, observed: world, recorded: recorded)
        return Survey(system: system, revision: revision, recorded: recorded, world: world, plan: plan)
    }

    /// Observes every component at once.
    public func observe(_ system: System, recorded: RecordedState) async -> World {
        var world = World()
        await withTaskGroup(of: (ResourceID, Observation).self) { group in
            for component in system.components {
                group.addTask { (component.id, await observe(component, recorded: recorded)) }
            }
            for await (resource, observation) in group { world.components[resource] = observation }
        }
        return world
    }

    /// Observes one component; a provider that cannot be used makes it unknown.
    public func observe(
        _ component: Component, recorded: RecordedState, depth: ObservationRequest.Depth = .pin
    ) async -> Observation {
        switch await providers.provider(of: component) {
        case .success(let provider): await provider.observe(component, ObservationRequest(component, recorded: recorded, depth: depth))
        case .failure(let problem): .unknown(problem)
        }
    }
}
