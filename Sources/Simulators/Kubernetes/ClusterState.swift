import JSONValues

/// What etcd would hold, and the few times that decide what the controllers do next.
struct ClusterState: Sendable {
    struct Key: Sendable, Hashable {
        /// The resource's plural: `deployments`.
        var resource: String
        /// Empty for what has none.
        var namespace: String
        var name: String
    }

    struct Event: Sendable {
        var version: Int
        var type: String
        var key: Key
        var object: JSON
    }

    /// How a container with a given image behaves.
    enum Fate: Sendable {
        case runs, cannotBePulled, crashes
    }

    /// Milliseconds since 1970: where the simulation has got to.
    var now: Int64
    private(set) var objects: [Key: JSON] = [:]
    private var index = ObjectIndex()
    /// Events of the recent past; a watch cannot begin before the first one.
    private(set) var events: [Event] = []
    private(set) var version = 1000
    /// How many times the past was forgotten.
    private(set) var compactions = 0
    /// Writes through the API that changed something.
    var changes = 0
    private var counter = 0

    /// When a controller looks at a workload next.
    var due: [Key: Int64] = [:]
    /// When a pod's container has started, or has failed to.
    var starting: [Key: Int64] = [:]
    /// When a Deployment last made progress.
    var progress: [Key: (time: Int64, signature: String)] = [:]

    var rolloutSeconds = 10.0
    var nodes = 3
    var brokenImages: [String] = []
    var crashingImages: [String] = []
    /// How long a controller takes to see a change.
    let controllerDelay: Int64 = 100

    init(now: Int64) { self.now = now }

    func fate(of image: String) -> Fate {
        if brokenImages.contains(where: image.contains) { return .cannotBePulled }
        return crashingImages.contains(where: image.contains) ? .crashes : .runs
    }

    mutating func uniqueNumber() -> Int {
        counter += 1
        return counter
    }

    /// Stores an object as the server does: uid, creation time and version are its own.
    @discardableResult
    mutating func put(_ key: Key, _ object: JSON) -> JSON {
        var object = object
        version += 1
        let old = objects[key]
        if object["metadata"] == nil { object["metadata"] = [:] }
        if old == nil {
            let number = String(uniqueNumber(), radix: 16)
            let padded = String(repeating: "0", count: max(0, 12 - number.count)) + number
            object["metadata"]?["uid"] = .string("00000000-0000-4000-8000-\(padded)")
            object["metadata"]?["creationTimestamp"] = .string(SimulatedTime.rfc3339(now))
        }
        object["metadata"]?["resourceVersion"] = .string(String(version))
        objects[key] = object
        index.replace(old, with: object, at: key)
        record(old == nil ? "ADDED" : "MODIFIED", key, object)
        return object
    }

    mutating func remove(_ key: Key) {
        guard var object = objects.removeValue(forKey: key) else { return }
        index.replace(object, with: nil, at: key)
        version += 1
        object["metadata"]?["resourceVersion"] = .string(String(version))
        starting[key] = nil
        due[key] = nil
        progress[key] = nil
        record("DELETED", key, object)
    }

    private mutating func record(_ type: String, _ key: Key, _ object: JSON) {
        events.append(Event(version: version, type: type, key: key, object: object))
        if events.count > 4000 { events.removeFirst(2000) }
    }

    /// Forgets the events so far: what a compaction of etcd does to watches that begin too far back, and to lists of pages.
    mutating func compact() {
        events = []
        compactions += 1
    }

    /// The objects of a resource in the order of their names.
    func list(_ resource: String, namespace: String?) -> [(key: Key, value: JSON)] { entries(index.keys(resource, namespace: namespace)) }

    /// The objects of a resource that a controller owns.
    func owned(_ resource: String, by owner: JSON, in namespace: String) -> [(key: Key, value: JSON)] {
        guard let uid = owner["metadata"]?["uid"]?.string else { return [] }
        return entries(index.keys(resource, ownedBy: uid, in: namespace))
    }

    private func entries(_ keys: [Key]) -> [(key: Key, value: JSON)] {
        keys.compactMap { key in objects[key].map { (key: key, value: $0) } }
    }

    // MARK: - Time

    /// Lets the controllers and the nodes do what they do until `time`.
    mutating func advance(to time: Int64) {
        // Every event brings the world nearer to rest; the bound only guards against a simulator that never gets there.
        for _ in 0..<200_000 {
            guard let next = [due.values.min(), starting.values.min()].compactMap(\.self).min(), next <= time else { break }
            now = max(now, next)
            for key in starting.filter({ $0.value <= now }).keys.sorted(by: { $0.name < $1.name }) { start(key) }
            for key in due.filter({ $0.value <= now }).keys.sorted(by: { $0.name < $1.name }) {
                due[key] = nil
                reconcile(key)
            }
        }
        now = max(now, time)
    }

    private mutating func reconcile(_ key: Key) {
        guard let object = objects[key] else { return }
        switch key.resource {
        case "deployments": reconcileDeployment(key, object)
        case "statefulsets": reconcileStatefulSet(key, object)
        case "daemonsets": reconcileDaemonSet(key, object)
        default: break
        }
    }

    /// Has the controller of a workload look at it soon.
    mutating func touch(_ key: Key) {
        due[key] = min(due[key] ?? .max, now + controllerDelay)
    }

    mutating func reconcile(_ key: Key, at time: Int64) {
        due[key] = min(due[key] ?? .max, time)
    }

    /// Writes a status if it differs.
    mutating func setStatus(_ key: Key, _ status: JSON) {
        guard var object = objects[key], object["status"] != status else { return }
        object["status"] = status
        put(key, object)
    }
}

extension JSON {
    /// With sorted members: equal values have equal texts.
    var canonical: String {
        switch self {
        case .object(let object):
            "{" + object.members.sorted { $0.key < $1.key }.map { "\(JSON.string($0.key)):\($0.value.canonical)" }.joined(separator: ",")
                + "}"
        case .array(let elements): "[" + elements.map(\.canonical).joined(separator: ",") + "]"
        default: description
        }
    }

    /// A short hash in the alphabet that Kubernetes uses for names.
    var shortHash: String {
        var hash: UInt32 = 2_166_136_261
        for byte in canonical.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(String(hash).compactMap { $0.wholeNumberValue.map { alphabet[$0 % alphabet.count] } })
    }

    var replicas: Int { self["spec"]?["replicas"]?.integer ?? 1 }
    var generation: Int { self["metadata"]?["generation"]?.integer ?? 1 }
    var isReady: Bool {
        (self["status"]?["conditions"]?.elements ?? []).contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
    }

    /// The value with a member set.
    func with(_ key: String, _ value: JSON?) -> JSON {
        var copy = self
        copy[key] = value
        return copy
    }

    /// The object's entry in the `ownerReferences` of what it owns.
    var ownerReference: JSON {
        [
            "apiVersion": self["apiVersion"] ?? "apps/v1", "kind": self["kind"] ?? "", "name": self["metadata"]?["name"] ?? "",
            "uid": self["metadata"]?["uid"] ?? "", "controller": true, "blockOwnerDeletion": true,
        ]
    }
}
