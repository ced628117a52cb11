public import ConfigurationValues
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
    /// Reads the values that specs refer to.
    public var values: ConfigurationReader
    /// What stands behind fingerprints of values; nil leaves it to the state store's own key, and then nothing is kept sealed.
    public var operatorKey: Result<ConfigurationKey?, Problem>
    /// Moves schemas; without one, a system with databases cannot be observed.
    public var schemaDriver: (any SchemaDriver)?
    /// What keeps a system's flags, or why it cannot be used; nil for a program that sets none.
    public var flagStore: (@Sendable (System, FeatureFlags) -> Result<AnyFlagStore, Problem>)?
    /// Where backups are kept, of a system.
    public var backups: @Sendable (System) -> String
    /// For health checks.
    public var transport: any Transport
    public var clock: any Clock<Duration>
    public var now: @Sendable () -> Timestamp
    /// How many passes look at a system at once, each at all of its components: what is seen of them is the most of the memory that is taken.
    /// A pass that carries something out, which may take long, keeps nobody waiting. Nil for no bound.
    public var looking: Places?

    public init(
        providers: ProviderRegistry, store: @escaping @Sendable (System) throws(StateError) -> any StateStore,
        values: ConfigurationReader = ConfigurationReader(variables: [:]), operatorKey: Result<ConfigurationKey?, Problem> = .success(nil),
        schemaDriver: (any SchemaDriver)? = nil,
        flagStore: (@Sendable (System, FeatureFlags) -> Result<AnyFlagStore, Problem>)? = nil,
        backups: @escaping @Sendable (System) -> String = { _ in "" },
        transport: any Transport, clock: any Clock<Duration>, now: @escaping @Sendable () -> Timestamp, looking: Places? = nil
    ) {
        self.providers = providers
        self.store = store
        self.values = values
        self.operatorKey = operatorKey
        self.schemaDriver = schemaDriver
        self.flagStore = flagStore
        self.backups = backups
        self.transport = transport
        self.clock = clock
        self.now = now
        self.looking = looking
    }

    /// Observes and plans; writes nothing, takes no lock.
    ///
    /// - Cost: one observation per component, all at once.
    public func survey(_ system: System, revision: Revision) async throws(StateError) -> Survey {
        let recorded = try await store(system).load()
        return try await survey(system, revision: revision, recorded: recorded)
    }

    func survey(_ system: System, revision: Revision, recorded: RecordedState) async throws(StateError) -> Survey {
        let observer = try await observer(of: system, recorded: recorded, making: false)
        let request = schemaRequest(of: system, revision: revision, signing: observer.signing)
        async let databases = observeDatabases(of: system, request)
        async let flags = observeFlags(of: system)
        var world = await observer.observe(system)
        world.databases = await databases
        world.flags = await flags
        let plan = plan(system, revision: revision, observed: world, recorded: recorded)
        return Survey(
            system: system, revision: revision, recorded: recorded, world: world, plan: plan, configurations: observer.configurations,
            keeper: observer.keeper, schemaRequest: request?.value)
    }

    /// Observes one component; a provider that cannot be used makes it unknown.
    public func observe(
        _ component: Component, of system: System, recorded: RecordedState, depth: ObservationRequest.Depth
    ) async throws(StateError) -> Observation {
        try await observer(of: system, recorded: recorded, making: false).observe(component, depth)
    }
}
