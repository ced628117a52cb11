import Model
import ProviderKit

/// Walks a way as the engine does: observes, sends the part that is named, observes what became of it, until nothing is left to do.
struct Walk {
    var provider: AnyProvider
    var component: Component
    var configuration: DesiredConfiguration?
    var resolution: Resolution?
    var known: [String: ConfigurationEntry] = [:]

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    func observe(_ intent: Intent? = nil, depth: ObservationRequest.Depth = .pin) async -> Observation {
        await provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent, depth: depth,
                takeOwnership: component.takeOwnership, configuration: configuration, readsConfiguration: true, keeper: .test,
                knownConfiguration: known))
    }

    /// What the pin means, and the change that a plan would hold; nil when nothing is to be done.
    mutating func change(_ observation: Observation) throws -> ReleaseChange? {
        if resolution == nil {
            for candidate in observation.candidates {
                guard let name = candidate.release.names.first(where: { $0.isMeant(by: component.release) }) else { continue }
                resolution = Resolution(
                    pin: component.release, identity: name.denotes, label: candidate.release.label, revision: .test)
                break
            }
        }
        guard let resolution else { throw Failure(description: "the pin is not among \(observation.candidates.map(\.release.label))") }
        if let declared = observation.live.declared, declared.matches(resolution) {
            return observation.configuration?.route.map {
                ReleaseChange(from: declared, to: declared, resolution: resolution, route: $0)
            }
        }
        for candidate in observation.candidates where candidate.release.matches(resolution) {
            for route in candidate.routes {
                return ReleaseChange(from: observation.live.declared, to: candidate.release, resolution: resolution, route: route)
            }
        }
        throw Failure(description: "no way to \(resolution.label)")
    }

    func intent(_ change: ReleaseChange) -> Intent {
        Intent(
            id: "intent-1", resource: component.id, route: change.route, resolution: change.resolution, providerTime: nil,
            written: Timestamp(millisecondsSinceEpoch: 0))
    }

    func apply(_ change: ReleaseChange) async -> ApplyResult {
        await provider.apply(
            change, to: component,
            ApplyRequest(
                component: component.name, intent: intent(change), revision: .test, configuration: configuration, keeper: .test))
    }

    /// The parts that were sent, in their order; `-` for a way of one write.
    @discardableResult
    mutating func go() async throws -> [String] {
        var observation = await observe()
        guard let planned = try change(observation) else { return [] }
        var sent: [String] = []
        while sent.count < 9 {
            let routes =
                observation.candidates.filter { $0.release.matches(planned.resolution) }.flatMap(\.routes)
                + [observation.configuration?.route].compactMap(\.self)
            guard let route = routes.first(where: { $0.verb == planned.route.verb && $0.token == planned.route.token }) else {
                throw Failure(description: "after \(sent) the way is gone")
            }
            if let refusal = route.refusal { throw refusal }
            var change = planned
            change.route = route
            let answer = await apply(change)
            guard case .accepted = answer else { throw Failure(description: "\(route.part ?? "-") gave \(answer)") }
            sent.append(route.part ?? "-")
            observation = await observe(intent(change))
            guard observation.fate == .tookEffect else {
                throw Failure(description: "fate of \(sent): \(String(describing: observation.fate))")
            }
            let isThere = observation.live.declared?.matches(planned.resolution) == true
            if isThere, observation.configuration?.differences.isEmpty ?? true { return sent }
        }
        throw Failure(description: "it does not end: \(sent)")
    }
}

extension ReleaseName {
    fileprivate func isMeant(by pin: Pin) -> Bool {
        switch pin {
        case .name(let text): value == text
        case .commit(let text): kind == .commit && value.hasPrefix(text)
        case .image(let text): kind == .image && value == text
        case .revision(let number): kind == .revision && value == String(number)
        case .deployment(let text): kind == .deployment && value == text
        }
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
