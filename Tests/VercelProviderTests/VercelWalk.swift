import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators

/// Walks ways of several writes as the engine does: one intent a part, observed until it took effect, then the next part.
struct VercelWalk {
    enum End: Sendable, Hashable {
        /// In place, served, and configured as desired.
        case arrived
        case blocked(Problem)
        case failed(Problem)
        /// What a write left is not known, or it left nothing: the next pass looks again.
        case undecided(String)
    }

    var stage: VercelStage
    var desired: DesiredConfiguration?
    var isFenced = false
    var known: [String: ConfigurationEntry] = [:]
    var records: [ReleaseRecord] = []
    var resolution: Resolution?
    /// What was sent, in words: `put API_URL`, `renew dpl_C`.
    private(set) var sent: [String] = []
    /// The route that the last pass chose.
    private(set) var planned: Route?
    private var open: Intent?
    private var count = 0

    init(_ stage: VercelStage, _ desired: DesiredConfiguration? = nil, isFenced: Bool = false) {
        self.stage = stage
        self.desired = desired
        self.isFenced = isFenced
    }

    func observe(_ intent: Intent? = nil) async -> Observation {
        let component = stage.world.component
        return await stage.world.provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent,
                allowRebuild: component.allowRebuild, configuration: desired, keeper: .test, knownConfiguration: known,
                records: records))
    }

    /// One pass: what it finds decides what it does.
    mutating func pass() async throws -> End {
        sent = []
        planned = nil
        if let open {
            let end = try await approach(open)
            if let end { return end }
        }
        var observation = await observe()
        resolution = try resolution ?? stage.world.resolution(in: observation)
        guard let resolution else { return .undecided("no resolution") }
        for _ in 0..<60 where observation.operation != nil {
            stage.pass(.seconds(5))
            observation = await observe()
        }
        let way: (release: Release, route: Route)
        if let declared = observation.live.declared, declared.matches(resolution) {
            guard let route = observation.configuration?.route else { return arrived(observation) }
            if let refusal = route.refusal { return .blocked(refusal) }
            way = (declared, route)
        } else {
            let ways = observation.candidates.filter { $0.release.matches(resolution) }.flatMap { candidate in
                candidate.routes.map { (release: candidate.release, route: $0) }
            }
            guard let best = ways.filter({ $0.route.refusal == nil }).min(by: { $0.route.class < $1.route.class }) else {
                let refusals = ways.sorted { $0.route.class < $1.route.class }.compactMap(\.route.refusal)
                return .blocked(refusals.first ?? Problem("NoWay", "no way to \(resolution.label)"))
            }
            way = best
        }
        planned = way.route
        if isFenced { try await raise(observation.automation) }
        var route = way.route
        for _ in 0..<20 {
            if let refusal = route.refusal { return .blocked(refusal) }
            count += 1
            let intent = Intent(
                id: "01J000000000000000000WALK\(count)", resource: stage.world.component.id, route: route, resolution: resolution,
                providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: stage.world.clock.milliseconds))
            let change = ReleaseChange(from: observation.live.declared, to: way.release, resolution: resolution, route: route)
            sent.append(Self.words(route.part ?? route.token))
            switch await apply(change, intent) {
            case .accepted(_, let configuration): known.merge(configuration) { $1 }
            case .alreadySo, .unknown: break
            case .refused(let problem), .throttled(let problem): return .failed(problem)
            }
            open = intent
            if let end = try await approach(intent) { return end }
            observation = await observe()
            let routes =
                observation.candidates.filter { $0.release.matches(resolution) }.flatMap(\.routes)
                + [observation.configuration?.route].compactMap(\.self)
            guard let next = routes.first(where: { $0.verb == way.route.verb && $0.token == way.route.token }) else {
                return .undecided("the way is gone")
            }
            route = next
        }
        return .undecided("it does not end: \(sent)")
    }

    /// Sends the next part and nothing more: a process that is killed right after.
    mutating func single() async throws -> [String] {
        let observation = await observe()
        guard let resolution else { return [] }
        let isThere = observation.live.declared?.matches(resolution) == true
        let routes =
            isThere
            ? [observation.configuration?.route].compactMap(\.self)
            : observation.candidates.filter { $0.release.matches(resolution) }.flatMap(\.routes)
        guard let route = routes.filter({ $0.refusal == nil }).min(by: { $0.class < $1.class }) else { return [] }
        let intent = Intent(
            id: "01J00000000000000000\(route.part?.count ?? 0)", resource: stage.world.component.id, route: route, resolution: resolution,
            providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: stage.world.clock.milliseconds))
        let release = observation.candidates.first { $0.release.matches(resolution) }?.release ?? Release(label: "", names: [])
        _ = await apply(ReleaseChange(from: nil, to: release, resolution: resolution, route: route), intent)
        return [Self.words(route.part ?? route.token)]
    }

    /// Passes until nothing is left to do, at most five.
    mutating func go() async throws -> (end: End, sent: [String]) {
        var all: [String] = []
        var end = End.arrived
        for _ in 0..<5 {
            end = try await pass()
            all += sent
            guard case .undecided = end else { break }
        }
        return (end, all)
    }

    /// Waits for the write. Nil when it took effect and was one part of a longer way.
    private mutating func approach(_ intent: Intent) async throws -> End? {
        for _ in 0..<60 {
            let observation = await observe(intent)
            let isThere =
                resolution.map { observation.live.declared?.matches($0) == true } == true
                && observation.configuration?.differences.isEmpty ?? true
            switch observation.fate {
            case .failed(let problem) where !isThere:
                open = nil
                return .failed(problem)
            case .void where !isThere:
                open = nil
                return .undecided("void")
            case .tookEffect, .failed, .void:
                open = nil
                if let key = intent.route.key, let marker = observation.configuration?.settings[key]?.marker {
                    known[key] = ConfigurationEntry(fingerprint: desired?.values[key]?.fingerprint, marker: marker)
                }
                if isThere, observation.settlement == .settled { return try await finish(observation) }
                if !isThere, intent.route.part != nil, observation.operation == nil { return nil }
            case .inFlight, .undecided, nil: break
            }
            stage.pass(.seconds(5))
        }
        return .undecided("not there after 5 min")
    }

    private mutating func finish(_ observation: Observation) async throws -> End {
        let end = arrived(observation)
        if isFenced { try await raise(await observe().automation) }
        return end
    }

    private mutating func arrived(_ observation: Observation) -> End {
        known = observation.configuration?.remembered(known) ?? known
        return .arrived
    }

    private func apply(_ change: ReleaseChange, _ intent: Intent) async -> ApplyResult {
        await stage.world.provider.apply(
            change, to: stage.world.component,
            ApplyRequest(
                component: "web", intent: intent, revision: Revision(.commit, "c1a0000000000000000000000000000000000000"),
                configuration: desired, keeper: .test))
    }

    private func raise(_ automation: Automation?) async throws {
        guard let automation, automation.isOn, let off = automation.off else { return }
        _ = await stage.turn(.raise, from: automation.value, to: off)
    }

    /// `put API_URL` of a token.
    private static func words(_ token: String) -> String {
        guard let json = try? JSON(parsing: token), let object = json.object, let first = object.members.first else { return token }
        let name = json["key"]?.string ?? first.value.string ?? first.value["sha"]?.string ?? ""
        return "\(first.key) \(name)"
    }
}

extension VercelStage {
    func turn(_ purpose: FenceChange.Purpose, from: String, to: String, name: String = "autoAssignCustomDomains") async -> ApplyResult {
        let intent = Intent(
            id: "01J000000000000000000FENCE", resource: world.component.id,
            route: Route(.redeploy, means: "switch", class: .instant, token: "", isIdempotent: true),
            resolution: Resolution(
                pin: world.component.release, identity: ArtifactIdentity(.deployment, ""), label: "", revision: Revision(.digest, "0")),
            providerTime: nil, written: Timestamp(millisecondsSinceEpoch: 0))
        return await world.provider.setAutomation(
            FenceChange(purpose, name: name, from: from, to: to), of: world.component.target,
            ApplyRequest(component: "web", intent: intent, revision: Revision(.digest, "0")))
    }

    /// What the live deployment was built with of a key, and what the project has for production now: markers that change with a value.
    func markers(_ key: String) async -> (built: String?, set: String?) {
        let project = await project
        let live = project["deployments"]?.elements.first { $0["id"] == project["production"] }
        let variable = project["env"]?.elements.first {
            $0["key"]?.string == key && $0["target"]?.elements.contains("production") == true
        }
        return (live?["env"]?[key]?.string, variable?["value"]?.string)
    }

    /// How many deployments the API made.
    var builds: Int {
        get async { await project["writes"]?.elements.count { $0["operation"] == "create" && $0["by"] == "api" } ?? 0 }
    }
}

extension ConfigurationKeeper {
    static let test = ConfigurationKeeper { ConfigurationEntry(fingerprint: fingerprint($0, $1)) }

    /// Not keyed, and not for anything but tests.
    static func fingerprint(_ key: String, _ value: Secret) -> String {
        var hash: UInt64 = 5381
        for byte in "\(key)=\(value.reveal())".utf8 { hash = hash &* 33 &+ UInt64(byte) }
        return String(hash, radix: 16)
    }
}

extension DesiredConfiguration {
    static func make(_ literals: [String: String] = [:], secrets: [String: String] = [:], isExact: Bool = false) -> DesiredConfiguration {
        var desired = DesiredConfiguration(isExact: isExact)
        for (values, isReference) in [(literals, false), (secrets, true)] {
            for (key, text) in values {
                desired.values[key] = Value(
                    Secret(text), isReference: isReference, fingerprint: ConfigurationKeeper.fingerprint(key, Secret(text)))
            }
        }
        return desired
    }
}

extension JSON {
    /// A variable of a world.
    static func variable(_ key: String, _ value: String, _ type: String = "encrypted", _ targets: [JSON] = ["production"]) -> JSON {
        ["key": .string(key), "value": .string(value), "type": .string(type), "target": .array(targets)]
    }
}
