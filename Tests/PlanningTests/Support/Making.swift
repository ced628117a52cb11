import Model

/// A place to run that exists only in these tests.
struct Place: Target {
    static let provider = "place"
    var identity: String
}

extension Revision {
    static func make(_ id: String = "aaaaaaaaaaaa") -> Revision { Revision(.commit, id) }
}

extension Component {
    static func make(
        _ name: String, pins pin: Pin, after: [ResourceID] = [], requires: [String: VersionWindow] = [:], isChecked: Bool = false,
        configuration: Configuration = Configuration(), isFenced: Bool = true
    ) -> Component {
        Component(
            name: name, target: Place(identity: name), release: pin, after: after, requires: requires,
            verify: isChecked ? [Check(url: "http://\(name)/healthz")] : [], configuration: configuration, isFenced: isFenced)
    }
}

extension System {
    static func make(_ components: [Component], databases: [Database] = [], isChecked: Bool = false) -> System {
        System(
            id: SystemID(name: "shop"), components: components, databases: databases,
            verify: isChecked ? [Check(url: "http://shop/")] : [])
    }
}

extension ArtifactIdentity {
    static func make(_ version: String) -> ArtifactIdentity { ArtifactIdentity(.image, version) }
}

extension Release {
    /// A version that denotes its own artifact; `v3` was created three seconds after the epoch, unless told otherwise.
    static func make(
        _ version: String, names: [ReleaseName] = [], lineage: [ArtifactIdentity] = [], created: Int64?? = .none
    ) -> Release {
        let seconds = created ?? Int64(version.filter(\.isNumber))
        return Release(
            label: version,
            names: names.isEmpty ? [ReleaseName(.image, version, denotes: .make(version))] : names,
            lineage: lineage, created: seconds.map { Timestamp(millisecondsSinceEpoch: $0 * 1000) })
    }
}

extension Route {
    static func make(
        _ verb: Verb = .undo, means: String = "instant rollback", class: StepClass = .instant, token: String = "t",
        cautions: [String] = [], refusal: Problem? = nil
    ) -> Route {
        Route(verb, means: means, class: `class`, token: token, isIdempotent: true, cautions: cautions, refusal: refusal)
    }
}

extension Problem {
    static func make(_ reason: String = "Trouble") -> Problem { Problem(reason, "something is wrong", next: "mend it") }
}

extension Observation {
    /// `live` runs, and one could go to any of `among`, the newest first.
    static func make(
        live: String?, among versions: [String] = ["v3", "v2", "v1"], settlement: Settlement = .settled, serving: [String]? = nil,
        operation: Model.Operation? = nil, fate: IntentFate? = nil, blocker: Problem? = nil, routes: [Route] = [.make()],
        configuration: ObservedConfiguration? = nil, automation: Automation? = nil, cause: String? = nil,
        stoppage: Stoppage? = .possible
    ) -> Observation {
        Observation(
            live: live.map { .release(declared: .make($0), serving: (serving ?? [$0]).map { .make($0) }) } ?? .nothing,
            settlement: settlement, candidates: versions.map { Candidate(.make($0), routes: routes) }, operation: operation, fate: fate,
            blocker: blocker, configuration: configuration, automation: automation, cause: cause, stoppage: stoppage)
    }
}

extension Stoppage {
    static let possible = Stoppage.possible(means: "scale from 3 to 0", memory: "3")
    static let startRoute = Route.make(.redeploy, means: "scale to 3", token: "start")
}

extension Resolution {
    /// - Parameter component: whose target it was resolved for; nil: by whoever did not record that.
    static func make(_ version: String, pin: Pin? = nil, revision: Revision = .make(), of component: String? = nil) -> Resolution {
        Resolution(
            pin: pin ?? .name(version), identity: .make(version), label: version, revision: revision,
            scope: component.map { "place/\($0)" })
    }
}

extension ReleaseRecord {
    static func make(
        _ version: String, quality: Quality = .good, requires: [String: VersionWindow] = [:], schemas: [String: String] = [:],
        configuration: [String: ConfigurationEntry]? = nil, of component: String? = nil
    ) -> ReleaseRecord {
        ReleaseRecord(
            resolution: .make(version, of: component), quality: quality, requires: requires, schemas: schemas, configuration: configuration,
            reached: Timestamp(millisecondsSinceEpoch: 0))
    }
}

extension Automation {
    /// `autoDeploy`, on unless told otherwise.
    static func make(_ value: String = "commit", off: String? = "no") -> Automation {
        Automation(name: "autoDeploy", summary: "deploys every push to main", isOn: value != "no", value: value, off: off)
    }
}

extension Fence {
    static func make(_ component: String = "web", previous: String = "commit") -> Fence {
        Fence(name: "autoDeploy", previous: previous, set: "no", target: component, provider: "place")
    }
}

extension ConfigurationEntry {
    /// A value that can be read back.
    static func make(_ value: String) -> ConfigurationEntry { ConfigurationEntry(fingerprint: value) }
}

extension Intent {
    static func make(_ name: String, leadsTo version: String) -> Intent {
        Intent(
            id: "i1", resource: .component(name), route: .make(), resolution: .make(version), providerTime: nil,
            written: Timestamp(millisecondsSinceEpoch: 0))
    }
}

extension Transition {
    static func make(
        start: [String: String] = [:], target: [String: String], directions: [String: Direction] = [:], obligations: [Obligation] = []
    ) -> Transition {
        func keyed<Value, Result>(_ values: [String: Value], _ transform: (Value) -> Result) -> [ResourceID: Result] {
            Dictionary(uniqueKeysWithValues: values.map { (.component($0.key), transform($0.value)) })
        }
        return Transition(
            id: "t1", revision: .make(), start: keyed(start) { .make($0) }, target: keyed(target) { .make($0) },
            directions: keyed(directions) { $0 }, obligations: obligations, opened: Timestamp(millisecondsSinceEpoch: 0))
    }
}

extension World {
    static func make(_ components: [String: Observation], databases: [String: DatabaseObservation] = [:]) -> World {
        World(
            components: Dictionary(uniqueKeysWithValues: components.map { (.component($0.key), $0.value) }),
            databases: Dictionary(uniqueKeysWithValues: databases.map { (.database($0.key), $0.value) }))
    }
}

extension Plan {
    var ids: [String] { steps.map(\.id) }

    /// What happens to components and schemas: `retreat/component/web`.
    var work: [String] { steps.filter { $0.phase != .preflight && $0.phase != .guard && $0.phase != .finish }.map(\.id) }

    func step(_ id: String) -> Step? { steps.first { $0.id == id } }
    func blocked(_ resource: ResourceID) -> Blocked? { blocked.first { $0.resource == resource } }

    /// `web: decision Gone`, sorted.
    var obstacles: [String] { blocked.map { "\($0.resource.name): \($0.kind.rawValue) \($0.problem.reason)" } }
}
