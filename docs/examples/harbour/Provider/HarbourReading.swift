import Model
import ProviderKit

/// What a service, as it is, means for a component: a pure function of an answer and a question.
struct HarbourReading: Sendable {
    var service: HarbourService
    var request: ObservationRequest
    /// For messages: `harbour/web`.
    var resource: String

    /// Harbour shows an operation within 30 seconds of the request; a request may be under way for as long again.
    static let visibility = Duration.seconds(60)

    var observation: Observation {
        Observation(
            live: live, settlement: running.map { .progressing("releasing \(label($0.release))") } ?? .settled,
            candidates: service.versions.map(candidate), operation: operation, fate: request.openIntent.map(fate),
            providerTime: service.time, configuration: configuration, automation: automation, cause: cause)
    }

    private var running: HarbourService.Operation? { service.operations.last { $0.state == "running" } }

    private func version(_ id: String?) -> HarbourService.Version? { service.versions.first { $0.id == id } }

    private func label(_ id: String) -> String { version(id)?.release.label ?? id }

    // MARK: - What runs

    private var live: Live {
        guard let declared = version(service.live)?.release else { return .nothing }
        // Old and new answer side by side until the operation has ended.
        return .release(declared: declared, serving: [declared] + [version(running?.release)?.release].compactMap(\.self))
    }

    private var operation: Operation? {
        running.map {
            Operation(summary: "release of \(label($0.release)) by \($0.by)", leadsTo: [ArtifactIdentity(.deployment, $0.release)])
        }
    }

    private var cause: String? {
        service.operations.last { $0.state == "done" && $0.release == service.live }.map { "release by \($0.by), \($0.requested)" }
    }

    private var automation: Automation {
        Automation(
            name: "autodeploy", summary: "releases every push to the default branch", isOn: service.autodeploy,
            value: service.autodeploy ? "on" : "off", off: "off")
    }

    // MARK: - Where one could go

    private func candidate(_ version: HarbourService.Version) -> Candidate {
        guard version.isKept else {
            return Candidate(
                version.release, routes: [],
                gone: Problem(
                    "ImageGone", "\(resource): Harbour has deleted the image of \(version.release.label)", next: "pin another release"))
        }
        if version.id == service.live { return Candidate(version.release, routes: []) }
        return Candidate(version.release, routes: [route(to: version, version.hasServed ? .undo : .promote)])
    }

    /// However many variables differ: one request for each of them, then one release.
    private func route(to version: HarbourService.Version, _ verb: Verb) -> Route {
        let next = nextVariable
        let count = differences.count { $0.kind != .notApplied }
        return Route(
            verb, means: (count == 0 ? "" : "\(count == 1 ? "1 variable" : "\(count) variables"), then ") + "one release", class: .instant,
            token: HarbourWrite.release(version.id).text, part: next?.text, key: next?.writtenKey, isIdempotent: next != nil)
    }

    // MARK: - Configuration

    private var settings: [String: ConfigurationEntry] {
        service.variables.reduce(into: [:]) { settings, variable in
            let marker = String(variable.value.version)
            settings[variable.key] =
                variable.value.value.map { request.keeper.entry(variable.key, $0, marker: marker) } ?? ConfigurationEntry(marker: marker)
        }
    }

    private var differences: [ConfigurationDifference] {
        guard let desired = request.configuration else { return [] }
        let set = desired.differences(from: settings, known: request.knownConfiguration)
        let waiting = service.pending.filter { key in
            (desired.values[key] != nil || desired.isExact) && !set.contains { $0.key == key }
        }
        return (set + waiting.map { ConfigurationDifference($0, .notApplied) }).sorted()
    }

    private var nextVariable: HarbourWrite? {
        differences.first { $0.kind != .notApplied }.map { difference in
            difference.kind == .extra
                ? .remove(key: difference.key) : .set(key: difference.key, before: service.variables[difference.key]?.version)
        }
    }

    private var configuration: ObservedConfiguration {
        let isThere = differences.isEmpty
        return ObservedConfiguration(
            settings: settings, differences: differences, route: isThere ? nil : version(service.live).map { route(to: $0, .redeploy) })
    }

    // MARK: - What became of a write

    private func fate(of intent: Intent) -> IntentFate {
        switch intent.route.write {
        case .set(let key, let before): return service.variables[key]?.version == before ? .void : .tookEffect
        case .remove(let key): return service.variables[key] == nil ? .tookEffect : .void
        case .release(let id):
            if let operation = service.operations.last(where: { $0.note == intent.id }) {
                switch operation.state {
                case "running": return .inFlight
                case "done": return .tookEffect
                default: return .failed(Problem("ReleaseFailed", "\(resource): the release of \(label(id)) \(operation.state)"))
                }
            }
            guard let sent = intent.providerTime else { return .undecided("no trace of it, and it is not known when it was sent") }
            return service.time - sent > Self.visibility ? .void : .undecided("no trace of it yet")
        case nil: return .undecided("the intent \(intent.id) holds a route that this version does not know")
        }
    }
}

extension HarbourWrite {
    fileprivate var writtenKey: String? {
        guard case .set(let key, _) = self else { return nil }
        return key
    }
}
