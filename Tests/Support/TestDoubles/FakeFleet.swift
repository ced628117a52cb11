package import Model
package import ProviderKit
import Synchronization

/// A provider of several machines behind one component: a change of release is a way of several writes, keys first, then a machine each.
/// It has settings of its own, of which secrets cannot be read back, and an automation that deploys by itself while it is on.
package final class FakeFleet: Provider {
    package struct State: Sendable, Hashable {
        package var machines: [String]
        /// What each machine was started with.
        package var running: [[String: String]]
        package var settings: [String: String] = [:]
        /// How often each key was written: the provider's mark of it.
        package var versions: [String: Int] = [:]
        package var automation = "on"
        /// Every write that took effect.
        package var effects: [String] = []
        package var cause: String?

        package init(machines: [String] = ["v1", "v1", "v1"], settings: [String: String] = [:]) {
            self.machines = machines
            self.settings = settings
            running = machines.map { _ in settings }
        }
    }

    private let state: Mutex<State>
    /// Called with the number of each write, counted from 1, after it took effect: somebody else may do something then.
    private let afterwards: @Sendable (Int, inout State) -> Void
    private let losesAnswers: Bool
    private let count = Mutex(0)

    package init(
        _ state: State = State(), losesAnswers: Bool = false, afterwards: @escaping @Sendable (Int, inout State) -> Void = { _, _ in }
    ) {
        self.state = Mutex(state)
        self.losesAnswers = losesAnswers
        self.afterwards = afterwards
    }

    package var now: State {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    package func observe(_ target: FakeTarget, _ request: ObservationRequest) async -> Observation {
        let state = now
        let wanted = request.resolution?.identity.value ?? request.pinned
        // The release is declared when every machine runs it; until then it is what the others run.
        let others = state.machines.filter { $0 != wanted }
        let declared = others.first ?? wanted
        var observation = Observation(
            live: .release(declared: .fake(declared), serving: Set(state.machines).sorted().map(Release.fake)),
            candidates: ["v3", "v2", "v1"].map { Candidate(.fake($0), routes: [route(to: $0, state, request)].compactMap(\.self)) },
            providerTime: Timestamp(millisecondsSinceEpoch: 1))
        observation.automation = Automation(
            name: "autoDeploy", summary: "deploys every push", isOn: state.automation == "on", value: state.automation, off: "off")
        observation.cause = state.cause
        observation.configuration = configuration(state, request, declared: declared)
        if let intent = request.openIntent, let part = intent.route.part {
            observation.fate = state.effects.contains("\(part) \(intent.id)") ? .tookEffect : .void
        }
        return observation
    }

    private func configuration(_ state: State, _ request: ObservationRequest, declared: String) -> ObservedConfiguration {
        var observed = ObservedConfiguration()
        for (key, value) in state.settings {
            observed.settings[key] =
                key.hasPrefix("SECRET")
                ? ConfigurationEntry(marker: "\(state.versions[key] ?? 0)") : request.keeper.entry(key, Secret(value))
        }
        guard let desired = request.configuration else { return observed }
        observed.differences = desired.differences(from: observed.settings, known: request.knownConfiguration)
        for (key, value) in state.settings where desired.values[key] != nil && !observed.differences.contains(where: { $0.key == key }) {
            if state.running.contains(where: { $0[key] != value }) {
                observed.differences.append(ConfigurationDifference(key, .notApplied))
            }
        }
        observed.differences.sort()
        if !observed.differences.isEmpty { observed.route = route(to: declared, state, request, differences: observed.differences) }
        return observed
    }

    /// Keys first, one at a time, then the machines, one at a time.
    private func route(
        to version: String, _ state: State, _ request: ObservationRequest, differences: [ConfigurationDifference]? = nil
    ) -> Route? {
        let differing =
            differences ?? configuration(state, request, declared: state.machines.first { $0 != version } ?? version, of: version)
        var part: String?
        var written: String?
        if let key = differing.first(where: { $0.kind != .notApplied }) {
            part = key.kind == .extra ? "unset \(key.key)" : "set \(key.key)"
            written = key.kind == .extra ? nil : key.key
        } else {
            let named = request.configuration?.values.keys.sorted() ?? []
            part = state.machines.indices.first { index in
                state.machines[index] != version || named.contains { state.running[index][$0] != state.settings[$0] }
            }.map { "machine \($0)" }
        }
        return part.map {
            Route(.undo, means: "machine by machine", class: .instant, token: version, part: $0, key: written, isIdempotent: true)
        }
    }

    private func configuration(
        _ state: State, _ request: ObservationRequest, declared: String, of version: String
    ) -> [ConfigurationDifference] {
        guard let desired = request.configuration else { return [] }
        var settings: [String: ConfigurationEntry] = [:]
        for (key, value) in state.settings {
            settings[key] =
                key.hasPrefix("SECRET")
                ? ConfigurationEntry(marker: "\(state.versions[key] ?? 0)") : request.keeper.entry(key, Secret(value))
        }
        return desired.differences(from: settings, known: request.knownConfiguration)
    }

    package func apply(_ change: ReleaseChange, to target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        guard let part = change.route.part else { return .refused(Problem("NoPart", "a way of several writes names its part")) }
        let words = part.split(separator: " ").map(String.init)
        let number = count.withLock { count in
            count += 1
            return count
        }
        return state.withLock { state in
            var written: [String: ConfigurationEntry] = [:]
            switch words[0] {
            case "set":
                guard let value = request.configuration?.values[words[1]] else { return .refused(Problem("NoValue", "no value")) }
                state.settings[words[1]] = value.secret.reveal()
                state.versions[words[1], default: 0] += 1
                written[words[1]] = ConfigurationEntry(
                    fingerprint: value.fingerprint, marker: "\(state.versions[words[1]] ?? 0)")
            case "unset":
                state.settings[words[1]] = nil
            default:
                guard let index = Int(words[1]), state.machines.indices.contains(index) else {
                    return .refused(Problem("NoMachine", "no such machine"))
                }
                state.machines[index] = change.route.token
                state.running[index] = state.settings
            }
            state.effects.append("\(part) \(request.intent.id)")
            afterwards(number, &state)
            return losesAnswers ? .unknown(Problem("Lost", "no answer")) : .accepted([:], configuration: written)
        }
    }

    package func setAutomation(_ change: FenceChange, of target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        state.withLock { state in
            state.automation = change.to
            state.effects.append("automation \(change.to)")
        }
        return .accepted([:])
    }
}

extension ObservationRequest {
    fileprivate var pinned: String {
        if case .name(let name) = pin { return name }
        return ""
    }
}
