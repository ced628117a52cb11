import ConfigurationValues
import Model
import Planning
import ProviderKit
import State

/// Looks at the components of one system in one pass, with what their configuration must be.
struct Observer: Sendable {
    let providers: ProviderRegistry
    let recorded: RecordedState
    /// Of the components whose configuration is managed, and whose values could be read.
    private(set) var configurations: [ResourceID: DesiredConfiguration] = [:]
    /// Why the others' could not.
    private var problems: [ResourceID: Problem] = [:]
    let keeper: ConfigurationKeeper
    /// What the databases' copies of scripts are signed with, or why there is no key.
    let signing: Result<[UInt8], Problem>

    /// Reads the values that the components' configuration refers to; sends nothing to a provider.
    init(
        _ system: System, recorded: RecordedState, providers: ProviderRegistry, values: ConfigurationReader,
        key: Result<ConfigurationKey, Problem>, adopts: Bool
    ) async {
        self.providers = providers
        self.recorded = recorded
        switch key {
        case .success(let key):
            keeper = key.keeper
            signing = .success(key.signing)
            for component in system.components where !component.configuration.isEmpty {
                if !adopts, let problem = Self.keyChanged(component, recorded, key) {
                    problems[component.id] = problem
                    continue
                }
                let restored = Self.restored(component, recorded, key)
                switch await values.read(component, key, more: restored) {
                case .success(let desired): configurations[component.id] = desired
                case .failure(let problems): self.problems[component.id] = problems.problem
                }
            }
        case .failure(let problem):
            keeper = .none
            signing = .failure(problem)
            for component in system.components where !component.configuration.isEmpty { problems[component.id] = problem }
        }
    }

    /// What was recorded with another key cannot be compared: every value would look changed, and be set again.
    private static func keyChanged(_ component: Component, _ recorded: RecordedState, _ key: ConfigurationKey) -> Problem? {
        let fingerprints = (recorded.configurations[component.id] ?? [:]).values.compactMap(\.fingerprint)
        guard fingerprints.contains(where: { !key.made($0) }) else { return nil }
        return Problem(
            "KeyChanged", "\(component.id): its configuration was recorded with another key than this one",
            next: "set the \(ConfigurationKey.variable) that was used before, or unset it if there was none; to begin anew with this key, "
                + "reconcile --once with --adopt: values that cannot be read back are set again")
    }

    /// Observes every component at once, those of one provider together.
    func observe(_ system: System) async -> World {
        var world = World()
        // In the order of the spec: a run of a seed is the same every time.
        let groups = Dictionary(grouping: system.components.indices) { system.components[$0].target.provider }.values
        await withTaskGroup(of: [(ResourceID, Observation)].self) { group in
            for indices in groups.sorted(by: { $0[0] < $1[0] }) { group.addTask { await observe(indices.map { system.components[$0] }) } }
            for await observations in group {
                for (resource, observation) in observations { world.components[resource] = observation }
            }
        }
        return world
    }

    /// - Parameter components: of one provider, at least one.
    private func observe(_ components: [Component]) async -> [(ResourceID, Observation)] {
        switch await providers.provider(of: components[0]) {
        case .success(let provider):
            let observations = await provider.observe(all: components.map { ($0, request(for: $0, .pin, recorded)) })
            return zip(components, observations).map { ($0.id, supplemented($1, of: $0)) }
        case .failure(let problem):
            return components.map { ($0.id, .unknown(problem)) }
        }
    }

    /// Looks again at components of which more is known now than when they were observed: a value that cannot be read back, for instance,
    /// after the write of it was found to have taken effect.
    func refresh(_ world: inout World, of system: System, after recorded: RecordedState) async {
        for component in system.components {
            guard recorded.configurations[component.id] != self.recorded.configurations[component.id] else { continue }
            world.components[component.id] = await observe(component, .pin, recorded)
        }
    }

    func observe(_ component: Component, _ depth: ObservationRequest.Depth) async -> Observation {
        await observe(component, depth, recorded)
    }

    private func observe(
        _ component: Component, _ depth: ObservationRequest.Depth, _ recorded: RecordedState
    ) async -> Observation {
        switch await providers.provider(of: component) {
        case .success(let provider):
            supplemented(await provider.observe(component, request(for: component, depth, recorded)), of: component)
        case .failure(let problem): .unknown(problem)
        }
    }

    private func request(
        for component: Component, _ depth: ObservationRequest.Depth, _ recorded: RecordedState
    ) -> ObservationRequest {
        ObservationRequest(
            component, recorded: recorded, configuration: configurations[component.id],
            readsConfiguration: !recorded.isKnown || depth == .history, keeper: keeper, depth: depth)
    }

    /// With why the values that its configuration refers to could not be read.
    private func supplemented(_ observation: Observation, of component: Component) -> Observation {
        guard let problem = problems[component.id] else { return observation }
        var observation = observation
        observation.configuration = observation.configuration ?? ObservedConfiguration()
        observation.configuration?.problem = problem
        return observation
    }

    /// What an undo brings back: the sealed values that were recorded with the pinned release, of keys that the spec does not name. Empty once
    /// the release is the last one that was reached: from then on nothing holds those keys.
    private static func restored(_ component: Component, _ recorded: RecordedState, _ key: ConfigurationKey) -> [String: Secret] {
        guard component.configuration.bringsBack, let records = recorded.releases[component.id] else { return [:] }
        let means = recorded.resolutions[component.id].flatMap { $0.pin == component.release ? $0 : nil }
        func isPinned(_ record: ReleaseRecord) -> Bool {
            record.resolution.holds(for: component.target)
                && (record.resolution.pin == component.release || means.map { record.resolution.isSameArtifact(as: $0) } ?? false)
        }
        guard let last = records.last, !isPinned(last), let record = records.last(where: isPinned) else { return [:] }
        var values: [String: Secret] = [:]
        for (name, entry) in record.configuration ?? [:] where component.configuration.sources[name] == nil {
            values[name] = entry.sealed.flatMap { key.open(name, $0) }
        }
        return values
    }
}

extension Reconciler {
    /// - Parameters:
    ///   - making: whether the state store may make its key now: a reading command leaves no file behind.
    ///   - adopts: whether what was recorded with another key may be recorded anew.
    func observer(
        of system: System, recorded: RecordedState, making: Bool, adopts: Bool = false
    ) async throws(StateError) -> Observer {
        await Observer(
            system, recorded: recorded, providers: providers, values: values, key: try await configurationKey(of: system, making: making),
            adopts: adopts)
    }

    func configurationKey(of system: System, making: Bool) async throws(StateError) -> Result<ConfigurationKey, Problem> {
        switch operatorKey {
        case .failure(let problem): return .failure(problem)
        case .success(let key?): return .success(key)
        case .success(nil):
            let stored = try await store(system).hashKey(making: making)
            // Without a key nothing was recorded that could be compared: any other serves as well, this once.
            let bytes = stored ?? (0..<32).map { _ in UInt8.random(in: .min ... .max) }
            return .success(ConfigurationKey(bytes, seals: false))
        }
    }
}
