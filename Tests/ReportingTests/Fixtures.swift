import Model
import Planning
import Reporting

struct FakeTarget: Target {
    static let provider = "fake"
    var identity: String
}

/// One system in one world, with defaults: `web` runs `v1` and pins it, and that was accepted.
struct Scene: Sendable {
    var components = [Component.make()]
    var verify: [Check] = []
    var observations: [String: Observation] = ["web": .make()]
    var recorded = RecordedState(isKnown: true, accepted: .example)

    var system: System { System(id: SystemID(name: "shop"), components: components, verify: verify) }

    var status: SystemStatus {
        let world = World(
            components: Dictionary(observations.map { (.component($0.key), $0.value) }, uniquingKeysWith: { first, _ in first }))
        return SystemStatus(
            system, revision: .example, world: world, recorded: recorded,
            plan: plan(system, revision: .example, observed: world, recorded: recorded))
    }
}

/// Providers' text that tries to leave its place: moves the cursor, ends lines, writes HTML and Markdown.
let hostile = "\u{1B}[2J\u{1B}]0;x\u{07}a\r\nb\u{202E} <b>|`_*[x](y)"

extension Component {
    static func make(
        _ name: String = "web", _ release: String = "v1", after: [ResourceID] = [], verify: [Check] = [],
        configuration: Configuration = Configuration(), isFenced: Bool = true
    ) -> Component {
        Component(
            name: name, target: FakeTarget(identity: name), release: .name(release), after: after, verify: verify,
            configuration: configuration, isFenced: isFenced)
    }
}

extension Observation {
    static func make(
        _ live: String = "v1", also: [String] = [], settlement: Settlement = .settled, notes: [String] = [],
        configuration: ObservedConfiguration? = nil, automation: Automation? = nil, cause: String? = nil
    ) -> Observation {
        Observation(
            live: .release(declared: .make(live), serving: ([live] + also).map { .make($0) }), settlement: settlement,
            candidates: ["v3", "v2", "v1"].map { Candidate(.make($0), routes: [.make($0)]) }, notes: notes, configuration: configuration,
            automation: automation, cause: cause)
    }
}

extension Release {
    static func make(_ name: String, created: Timestamp? = nil, note: String? = nil) -> Release {
        Release(
            label: name, names: [ReleaseName(.image, name, denotes: ArtifactIdentity(.image, name))], created: created, note: note)
    }
}

extension Route {
    static func make(_ name: String, _ verb: Verb = .undo, class: StepClass = .instant, refusal: Problem? = nil) -> Route {
        Route(verb, means: "fake \(verb.rawValue)", class: `class`, token: name, isIdempotent: false, refusal: refusal)
    }
}

extension Resolution {
    static func make(_ name: String) -> Resolution {
        Resolution(pin: .name(name), identity: ArtifactIdentity(.image, name), label: name, revision: .example)
    }
}

extension ReleaseRecord {
    static func make(
        _ name: String, _ quality: Quality = .good, configuration: [String: ConfigurationEntry]? = nil
    ) -> ReleaseRecord {
        ReleaseRecord(resolution: .make(name), quality: quality, configuration: configuration, reached: .example)
    }
}

extension Transition {
    static func make(_ target: [ResourceID: Resolution], obligations: [Obligation] = []) -> Transition {
        Transition(
            id: "t1", revision: .example, start: [:], target: target, directions: [:], obligations: obligations, opened: .example)
    }
}

extension Automation {
    /// `autoDeploy`, which deploys every push unless told otherwise.
    static func make(_ value: String = "commit", off: String? = "no", setBy: String? = nil) -> Automation {
        Automation(
            name: "autoDeploy", summary: "deploys every push to main", isOn: value != "no", value: value, off: off, setBy: setBy)
    }
}

extension Fence {
    static func make() -> Fence { Fence(name: "autoDeploy", previous: "commit", set: "no", target: "web", provider: "fake") }
}

extension Check {
    static let example = Check(url: "https://user:pass@shop.example/healthz?token=hunter2")
}

extension Problem {
    static let crash = Problem("CrashLoopBackOff", "fake/web: the container crashes", next: "read its log")
    static let unreadable = Problem("Forbidden", "fake/web: 403 while reading releases", next: "check the token")
}

extension Revision {
    static let example = Revision(.commit, String(repeating: "b", count: 40))
    static let older = Revision(.commit, String(repeating: "a", count: 40))
}

extension Timestamp {
    static let example = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)
}
