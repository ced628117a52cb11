import Model
import ProviderKit
import Simulators

/// A component on its way to what is desired: what the engine remembers between two looks.
struct Walk: Sendable {
    var world: ContractWorld
    var desired: DesiredConfiguration
    /// What is known of the settings, as the journal holds it.
    var known: [String: ConfigurationEntry] = [:]
    /// Nil: the release that is declared, whichever it is.
    var resolution: Resolution?
    /// True: the process is killed after every write, before what was answered is written down.
    var losesAnswers = false
    /// What was sent, and what became of it.
    private(set) var sent: [(route: Route, result: ApplyResult)] = []
    /// Everything that the provider said.
    private(set) var said: [String] = []
    private var count = 0

    init(_ world: ContractWorld, _ desired: DesiredConfiguration, to resolution: Resolution? = nil) {
        self.world = world
        self.desired = desired
        self.resolution = resolution
    }

    mutating func observe(intent: Intent? = nil) async -> Observation {
        let component = world.component
        let observation = await world.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent,
                takeOwnership: component.takeOwnership, allowRebuild: component.allowRebuild, configuration: desired,
                readsConfiguration: true, keeper: ContractConfiguration.keeper, knownConfiguration: known))
        said.append("\(observation)")
        return observation
    }

    /// The change that a plan would hold: to the pin, or to what is desired for the release that is declared. Nil: everything is as desired.
    func change(after observation: Observation) throws(Violation) -> ReleaseChange? {
        guard let declared = observation.live.declared else { throw Violation("live is \(observation.live)") }
        guard let configuration = observation.configuration else { throw Violation("the configuration is not told") }
        if let resolution, !declared.matches(resolution) {
            let ways = observation.candidates.filter { $0.release.matches(resolution) }.flatMap { candidate in
                candidate.routes.filter { $0.refusal == nil }.map { (candidate.release, $0) }
            }
            guard let (release, route) = ways.min(by: { $0.1.class < $1.1.class }) else {
                throw Violation("no route to \(resolution.label) may be walked: \(observation.candidates.flatMap(\.routes))")
            }
            return ReleaseChange(from: declared, to: release, resolution: resolution, route: route)
        }
        guard !configuration.differences.isEmpty else { return nil }
        guard let route = configuration.route, route.refusal == nil else {
            throw Violation("nothing leads to what is desired: \(configuration)")
        }
        guard let identity = declared.names.first?.denotes else { throw Violation("\(declared.label) has no name") }
        let own =
            resolution
            ?? Resolution(
                pin: world.component.release, identity: identity, lineage: Array(declared.identities), label: declared.label,
                revision: ContractWorld.revision)
        return ReleaseChange(from: declared, to: declared, resolution: own, route: route)
    }

    /// Sends one write, with its intent.
    mutating func send(_ change: ReleaseChange, after observation: Observation) async -> (intent: Intent, result: ApplyResult) {
        count += 1
        let key = change.route.key.flatMap { desired.values[$0]?.fingerprint }
        let intent = Intent(
            id: "01J000000000000000000WALK\(count)", resource: world.component.id, route: change.route, resolution: change.resolution,
            fingerprint: key, providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: world.clock.milliseconds))
        let result = await world.provider.apply(
            change, to: world.component,
            ApplyRequest(
                component: world.component.name, intent: intent, revision: ContractWorld.revision, configuration: desired,
                keeper: ContractConfiguration.keeper))
        sent.append((change.route, result))
        said.append("\(change) \(intent) \(result)")
        if !losesAnswers, case .accepted(_, let configuration) = result { known.merge(configuration) { $1 } }
        return (intent, result)
    }

    /// Looks until it is known what became of a write, and remembers what it wrote.
    @discardableResult
    mutating func settle(_ intent: Intent) async throws(Violation) -> IntentFate {
        for look in 0..<20 {
            let observation = await observe(intent: intent)
            switch observation.fate {
            case .tookEffect where observation.operation == nil && !observation.settlement.isProgressing:
                if let key = intent.route.key, let fingerprint = intent.fingerprint,
                    let marker = observation.configuration?.settings[key]?.marker
                {
                    known[key] = ConfigurationEntry(fingerprint: fingerprint, marker: marker)
                }
                return .tookEffect
            case .failed, .void: return observation.fate ?? .void
            case .tookEffect, .inFlight, .undecided, nil: world.clock.advance(by: look < 3 ? .seconds(1) : world.settling / 4)
            }
        }
        throw Violation("what became of \(intent.route) is never known")
    }

    /// Writes and waits until everything is as desired.
    mutating func walk() async throws(Violation) {
        var token: String?
        for _ in 0..<20 {
            let observation = await observe()
            guard let change = try change(after: observation) else {
                try require(observation.configuration?.route == nil, "a way remains though nothing differs: \(observation)")
                return
            }
            try require(token == nil || token == change.route.token, "the token changed on the way: \(token ?? ""), \(change.route.token)")
            token = change.route.token
            let (intent, result) = await send(change, after: observation)
            switch result {
            case .accepted, .alreadySo, .unknown: break
            case .refused, .throttled: throw Violation("\(change.route) gave \(result)")
            }
            try await settle(intent)
        }
        throw Violation("the way never ends: \(sent.map(\.route))")
    }

    /// Sends and settles everything before the first write of a value; returns that write's change. Nil: none of its writes is one.
    mutating func untilFirstKey() async throws(Violation) -> (change: ReleaseChange, observation: Observation)? {
        for _ in 0..<20 {
            let observation = await observe()
            guard let change = try change(after: observation) else { return nil }
            if change.route.key != nil { return (change, observation) }
            try await settle(await send(change, after: observation).intent)
        }
        return nil
    }
}
