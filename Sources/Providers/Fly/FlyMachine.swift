import JSONValues
import Model

/// A machine as the API tells of it.
struct FlyMachine: Sendable {
    struct Event: Sendable {
        var type: String
        var source: String
        var time: Timestamp?
        /// A program that ended by itself and not well.
        var isCrash: Bool
        var restarts: Int
    }

    struct Check: Sendable {
        var name: String
        var status: String
        var output: String?
    }

    struct Lease: Sendable {
        var owner: String
        var description: String
        var expires: Timestamp?
    }

    let id: String
    let state: String
    /// New with every version.
    let instance: String
    let image: FlyImage
    /// Kept whole: what is not understood goes back as it came. Nil when the host does not answer.
    let config: JSON?
    /// Of the config, or of what is left of it when the host does not answer.
    let metadata: [String: String]
    /// True if its last update is one of Belay's.
    let isByBelay: Bool
    let isReachable: Bool
    let isCordoned: Bool
    let updated: Timestamp?
    let events: [Event]
    let checks: [Check]
    let lease: Lease?

    /// Nil when it lacks an id, a state or a version.
    init?(_ json: JSON) {
        guard let id = json["id"]?.string, !id.isEmpty, let state = json["state"]?.string,
            let instance = json["instance_id"]?.string ?? json["version"]?.string
        else { return nil }
        self.id = id
        self.state = state
        self.instance = instance
        let shown = json["config"] ?? json["incomplete_config"]
        let host = json["host_status"]?.string ?? "ok"
        isReachable = host == "ok" && json["config"]?.object != nil
        config = isReachable ? json["config"] : nil
        metadata = Dictionary(
            (shown?["metadata"]?.object?.members ?? []).compactMap { member in member.value.string.map { (member.key, $0) } }
        ) { first, _ in first }
        let named = FlyImage(shown?["image"]?.string)
        let reference = json["image_ref"]
        var image = named ?? FlyImage(repository: "")
        if let repository = reference?["repository"]?.string, !repository.isEmpty {
            image.repository = (reference?["registry"]?.string).map { $0.isEmpty ? repository : "\($0)/\(repository)" } ?? repository
        }
        image.tag = reference?["tag"]?.string ?? named?.tag
        image.digest = reference?["digest"]?.string ?? named?.digest
        let marked = (metadata[FlyMark.image] ?? "").split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        isByBelay = metadata[FlyMark.intent] != nil && marked.count == 2 && image.digest.map { $0 == marked[1] } ?? false
        if isByBelay, image.tag?.isEmpty ?? true, let tag = marked.first { image.tag = String(tag) }
        if image.tag?.isEmpty == true { image.tag = nil }
        if image.digest?.isEmpty == true { image.digest = nil }
        self.image = image
        isCordoned = json["cordoned"]?.bool ?? false
        updated = json["updated_at"]?.string.flatMap { Timestamp($0) }
        events = (json["events"]?.elements ?? []).map { Event($0) }
        checks = (json["checks"]?.elements ?? []).compactMap { check in
            guard let name = check["name"]?.string, !name.hasPrefix("bg_deployments_compat") else { return nil }
            return Check(name: name, status: check["status"]?.string ?? "unknown", output: check["output"]?.string)
        }
        lease = json["lease"].map { lease in
            Lease(
                owner: lease["owner"]?.string ?? "somebody", description: lease["description"]?.string ?? "",
                expires: lease["expires_at"]?.integer.flatMap { seconds in
                    (0..<1 << 40).contains(seconds) ? Timestamp(millisecondsSinceEpoch: Int64(seconds) * 1000) : nil
                })
        }
    }

    var group: String { metadata["fly_process_group"] ?? metadata["process_group"] ?? "app" }

    /// Nil when it says nothing of it.
    var releaseVersion: Int? { metadata[FlyMark.releaseVersion].flatMap { Int($0) } }

    /// True for machines of release commands, consoles and tests, and for those that are gone: none of them is what the component runs.
    var isLeftOut: Bool {
        ["fly_app_release_command", "fly_app_test_machine_command", "fly_app_console"].contains(group)
            || ["destroyed", "destroying", "migrated"].contains(state)
    }

    /// An update is under way.
    var isReplacing: Bool { state == "replacing" || state == "updating" || state == "replaced" }

    var isStopped: Bool { ["stopped", "suspended", "created"].contains(state) }

    /// The variables that stand in its config, without those that Fly.io's own tools put there.
    var environment: [String: String] {
        var found: [String: String] = [:]
        for (key, value) in config?["env"]?.object?.members ?? [] where !Self.isPlatform(key) {
            found[key] = value.string ?? value.description
        }
        return found
    }

    static func isPlatform(_ key: String) -> Bool { key.hasPrefix("FLY_") || key == "PRIMARY_REGION" }

    var hasChecks: Bool {
        if config?["checks"]?.object?.isEmpty == false { return true }
        return (config?["services"]?.elements ?? []).contains { $0["checks"]?.elements.isEmpty == false }
    }

    /// True if the proxy may stop it when nobody asks anything of it.
    var stopsByItself: Bool {
        (config?["services"]?.elements ?? []).contains { service in
            switch service["autostop"] {
            case .bool(let isOn): isOn
            case .string(let word): word != "off"
            default: false
            }
        }
    }

    /// When it was last given secrets: at its last update, or when somebody or the proxy started it. A restart gives it none.
    var booted: Timestamp? {
        let boots = events.filter { event in
            ["update", "launch"].contains(event.type) || event.type == "start" && ["user", "proxy"].contains(event.source)
        }
        return boots.compactMap(\.time).max() ?? updated
    }
}

extension FlyMachine.Event {
    init(_ json: JSON) {
        let request = json["request"]
        let exit = request?["exit_event"] ?? request?["MonitorEvent"]?["exit_event"]
        type = json["type"]?.string ?? ""
        source = json["source"]?.string ?? ""
        time = json["timestamp"]?.integer.map { Timestamp(millisecondsSinceEpoch: Int64($0)) }
        let code = exit?["exit_code"]?.integer ?? 0
        isCrash = type == "exit" && exit?["requested_stop"]?.bool != true && (code != 0 || exit?["oom_killed"]?.bool == true)
        restarts = request?["restart_count"]?.integer ?? 0
    }
}
