import Model
import Planning
import ProviderContract
import ProviderKit
import Simulators

/// What passes do, in small: observe, choose, write, wait, until the pin and its configuration are in place.
final class Walk {
    enum End: Equatable {
        case arrived
        /// What is in the way, by its reason.
        case refused(String)
        case failed(String)
        case throttled(String)
        /// Too many steps.
        case endless
    }

    let stage: RenderStage
    var component: Component
    /// As it is recorded: by key.
    var known: [String: ConfigurationEntry] = [:]
    var resolution: Resolution?
    var values: [String: String]?
    var isExact = false
    /// The last problem that ended a pass.
    private(set) var problem: Problem?
    private(set) var means: [String] = []
    /// What made what was live whenever it was not the pin.
    private(set) var causes: Set<String> = []
    /// Happens after each write, with its number, from 1 on.
    var afterWrite: (Int) async -> Void = { _ in }
    private var writes = 0

    init(_ stage: RenderStage, values: [String: String]? = nil) {
        self.stage = stage
        self.values = values
        component = stage.world.component
    }

    static let keeper = ConfigurationKeeper { key, value in ConfigurationEntry(fingerprint: fingerprint(key, value.reveal())) }

    /// Tells values apart and shows none.
    static func fingerprint(_ key: String, _ value: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(key)=\(value)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }

    private var desired: DesiredConfiguration? {
        values.map { values in
            var desired = DesiredConfiguration(isExact: isExact)
            for (key, value) in values {
                desired.values[key] = .init(Secret(value), isReference: false, fingerprint: Self.fingerprint(key, value))
            }
            return desired
        }
    }

    func pin(_ pin: Pin) {
        component.release = pin
        resolution = nil
    }

    func observe(_ intent: Intent? = nil) async -> Observation {
        await stage.world.provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent,
                allowRebuild: component.allowRebuild, configuration: desired, readsConfiguration: true, keeper: Self.keeper,
                knownConfiguration: known))
    }

    /// What the first contact with a component in place records.
    func recordBaseline() async {
        known = await observe().configuration?.settings ?? [:]
    }

    func run() async -> End {
        for _ in 0..<60 {
            let observation = await observe()
            if let problem = observation.live.problem ?? observation.blocker { return end(problem, End.refused) }
            if let resolution, observation.live.declared?.matches(resolution) == false {
                causes.formUnion([observation.cause].compactMap(\.self))
            }
            if observation.operation != nil {
                stage.pass(10)
                continue
            }
            let route: Route
            var to: Release?
            if resolution == nil, case .resolved(let identity, let label) = resolve(component.release, among: observation.candidates) {
                resolution = Resolution(pin: component.release, identity: identity, label: label, revision: Revision(.digest, "test"))
            }
            guard let resolution else { return end(Problem("PinNotFound", "no release is called \(component.release)"), End.refused) }
            if let declared = observation.live.declared, declared.matches(resolution) {
                guard let configuration = observation.configuration, !configuration.differences.isEmpty else {
                    known = observation.configuration?.remembered(known) ?? known
                    return .arrived
                }
                guard let way = configuration.route else { return end(Problem("NoRoute", "nothing leads there"), End.refused) }
                (route, to) = (way, declared)
            } else {
                let ways = observation.candidates.filter { $0.release.matches(resolution) }
                    .flatMap { candidate in candidate.routes.map { (candidate.release, $0) } }
                guard let best = ways.filter({ $0.1.refusal == nil }).min(by: { $0.1.class < $1.1.class }) else {
                    return end(
                        ways.sorted { $0.1.class < $1.1.class }.first?.1.refusal ?? Problem("NoRoute", "nothing leads there"), End.refused)
                }
                (to, route) = (best.0, best.1)
            }
            if let refusal = route.refusal { return end(refusal, End.refused) }
            guard let to else { return .endless }
            if let end = await write(
                ReleaseChange(from: observation.live.declared, to: to, resolution: resolution, route: route), observation)
            {
                return end
            }
        }
        return .endless
    }

    private func write(_ change: ReleaseChange, _ before: Observation) async -> End? {
        writes += 1
        means.append(change.route.means)
        let intent = Intent(
            id: "01J\(writes)", resource: component.id, route: change.route, resolution: change.resolution,
            fingerprint: change.route.key.flatMap { desired?.values[$0]?.fingerprint }, providerTime: before.providerTime,
            written: Timestamp(millisecondsSinceEpoch: stage.world.clock.milliseconds))
        let answer = await stage.world.provider.apply(
            change, to: component,
            ApplyRequest(
                component: component.name, intent: intent, revision: change.resolution.revision, configuration: desired, keeper: Self.keeper
            ))
        await afterWrite(writes)
        switch answer {
        case .accepted(_, let configuration): known.merge(configuration) { $1 }
        case .alreadySo, .unknown: break
        case .refused(let problem): return end(problem, End.refused)
        case .throttled(let problem): return end(problem, End.throttled)
        }
        for _ in 0..<400 {
            let observation = await observe(intent)
            switch observation.fate {
            case .tookEffect:
                known.merge(observation.configuration?.learned ?? [:]) { $1 }
                if let key = change.route.key, let marker = observation.configuration?.settings[key]?.marker {
                    known[key] = ConfigurationEntry(fingerprint: intent.fingerprint, marker: marker)
                }
                return nil
            case .failed(let problem): return end(problem, End.failed)
            case .void: return nil
            case .inFlight, .undecided, nil: stage.pass(5)
            }
        }
        return .endless
    }

    private func end(_ problem: Problem, _ kind: (String) -> End) -> End {
        self.problem = problem
        return kind(problem.reason)
    }
}
