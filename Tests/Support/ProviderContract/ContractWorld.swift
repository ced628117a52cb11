import HTTPCore
public import Model
public import ProviderKit
public import Simulators

/// A fresh world for one clause: a provider before its simulator, and a component whose pin ran before and is one write away.
public struct ContractWorld: Sendable {
    public var provider: AnyProvider
    /// Pins a release that ran before, is not live, and can be reached by one write.
    public var component: Component
    /// The same, of a target that does not exist.
    public var missing: Component
    public var simulator: any Simulator
    /// Ends in ``simulator``, and in nothing else.
    public var transport: SimulatedTransport
    public var clock: ManualClock
    /// The secret that the provider was given.
    public var token: String
    /// Longer than any write takes to settle.
    public var settling: Duration
    /// The provider's visibility bound: afterwards, a write of which there is no trace is void.
    public var visibility: Duration
    /// How many requests an observation of an unchanged component may cost.
    public var budget: Int
    /// How many writes took effect since the beginning, from the simulator's own books.
    public var effects: @Sendable () async -> Int
    /// Which requests are the writes of parts; others, such as those for leases, only surround them.
    public var isWrite: @Sendable (SimulatedTransport.Received) -> Bool = { !$0.method.isSafe }
    /// A fault of the next write as it must be set to hit the write itself, and not what surrounds it.
    public var aim: @Sendable (Fault) -> [Fault] = { [$0] }
    /// What is observed along with the component, as a pass observes several at once; empty: it is observed alone.
    public var companions: [Component] = []
    /// For ``Clause/configuration``; nil where the fixture takes none of these clauses.
    public var configuration: ContractConfiguration?

    public init(
        provider: AnyProvider, component: Component, missing: Component, simulator: any Simulator, transport: SimulatedTransport,
        clock: ManualClock, token: String, settling: Duration, visibility: Duration, budget: Int,
        configuration: ContractConfiguration? = nil, effects: @escaping @Sendable () async -> Int
    ) {
        self.provider = provider
        self.component = component
        self.missing = missing
        self.simulator = simulator
        self.transport = transport
        self.clock = clock
        self.token = token
        self.settling = settling
        self.visibility = visibility
        self.budget = budget
        self.effects = effects
        self.configuration = configuration
    }
}

/// Makes the worlds of one provider.
public protocol ProviderFixture: Sendable {
    func makeWorld() async throws -> ContractWorld
}

// MARK: - What a pass does, in small

extension ContractWorld {
    /// Requests that are not safe, whatever became of them.
    public var writes: Int { transport.received.count(where: isWrite) }

    public func observe(
        _ component: Component? = nil, resolution: Resolution? = nil, intent: Intent? = nil, depth: ObservationRequest.Depth = .pin,
        stop: Stop? = nil
    ) async -> Observation {
        let component = component ?? self.component
        return await observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent, depth: depth,
                takeOwnership: component.takeOwnership, allowRebuild: component.allowRebuild, stop: stop))
    }

    /// The component among its companions, if it has any.
    func observe(_ component: Component, _ request: ObservationRequest) async -> Observation {
        guard !companions.isEmpty else { return await provider.observe(component, request) }
        let others = companions.map { (component: $0, request: ObservationRequest(component: $0.name, pin: $0.release)) }
        return await provider.observe(all: others.prefix(1) + [(component, request)] + others.dropFirst())[1]
    }

    /// What the pin means among the candidates, as a plan would record it.
    public func resolution(in observation: Observation) throws(Violation) -> Resolution {
        for candidate in observation.candidates {
            guard let name = candidate.release.names.first(where: { $0.isMeant(by: component.release) }) else { continue }
            return Resolution(pin: component.release, identity: name.denotes, label: candidate.release.label, revision: Self.revision)
        }
        throw Violation("no candidate has the pin \(component.release) among its names: \(observation.candidates.map(\.release.label))")
    }

    /// The change that a plan would hold, and the intent that stands in the journal before it is sent.
    public func change(after observation: Observation) throws(Violation) -> (change: ReleaseChange, intent: Intent) {
        let resolution = try resolution(in: observation)
        let ways = observation.candidates.filter { $0.release.matches(resolution) }.flatMap { candidate in
            candidate.routes.filter { $0.refusal == nil }.map { (release: candidate.release, route: $0) }
        }
        guard let way = ways.min(by: { $0.route.class < $1.route.class }) else {
            throw Violation("no route to \(resolution.label) may be walked: \(observation.candidates.flatMap(\.routes))")
        }
        let intent = Intent(
            id: "01J0000000000000000000CLAUSE", resource: component.id, route: way.route, resolution: resolution,
            providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: clock.milliseconds))
        return (ReleaseChange(from: observation.live.declared, to: way.release, resolution: resolution, route: way.route), intent)
    }

    public func apply(_ change: ReleaseChange, _ intent: Intent, stop: Stop? = nil) async -> ApplyResult {
        await provider.apply(
            change, to: component, ApplyRequest(component: component.name, intent: intent, revision: Self.revision, stop: stop))
    }

    static let revision = Revision(.commit, "c1a0000000000000000000000000000000000000")
}

/// What a clause found wrong.
public struct Violation: Error, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
}

extension ReleaseName {
    fileprivate func isMeant(by pin: Pin) -> Bool {
        switch pin {
        case .name(let text): value == text || (kind == .commit && text.count >= 7 && value.hasPrefix(text))
        case .commit(let text): kind == .commit && value.hasPrefix(text)
        case .image(let text): kind == .image && value == text
        case .revision(let number): kind == .revision && value == String(number)
        case .deployment(let text): kind == .deployment && value == text
        }
    }
}
