import JSONValues

/// A route's token: where the way leads, the same from its first write to its last.
struct FlyWay: Sendable, Hashable {
    /// By digest.
    var image: String
    /// True if the release stays and only its configuration changes.
    var isReconfiguration: Bool

    init(image: String, isReconfiguration: Bool) {
        self.image = image
        self.isReconfiguration = isReconfiguration
    }

    var token: String {
        JSON.object(JSONObject([(isReconfiguration ? "configure" : "image", .string(image))])).description
    }

    /// Nil for a text that is not a token.
    init?(token: String) {
        guard let json = try? JSON(parsing: token) else { return nil }  // Nil is the answer.
        if let image = json["image"]?.string {
            self.init(image: image, isReconfiguration: false)
        } else if let image = json["configure"]?.string {
            self.init(image: image, isReconfiguration: true)
        } else {
            return nil
        }
    }
}

/// One write of a way; a route's part.
enum FlyPart: Sendable, Hashable {
    struct Machine: Sendable, Hashable {
        var id: String
        /// The version that was seen: an update of any other is refused.
        var instance: String
        /// The version whose config it gets back, whole; nil: it keeps the one it has.
        var exact: String?
    }

    /// Sets a secret.
    ///
    /// - Parameter mark: what it showed before; empty when there was none.
    case set(String, mark: String)
    case unset(String)
    /// - Parameters:
    ///   - release: the ledger's row that the machines are told they run.
    ///   - tag: the image's, as far as anything tells it: machines are told the digest alone.
    ///   - waits: whether it ends only when the machines have settled.
    case update([Machine], release: FlyPart.Release?, tag: String?, waits: Bool)
    /// Starts machines that Belay has stopped.
    case start([String])
    /// Lets traffic come to them again; they are not stopped any more then.
    case open([String])

    struct Release: Sendable, Hashable {
        var id: String
        var version: Int
    }

    var text: String {
        switch self {
        case .set(let key, let mark): return JSON.object(JSONObject([("set", .string(key)), ("mark", .string(mark))])).description
        case .unset(let key): return JSON.object(JSONObject([("unset", .string(key))])).description
        case .update(let machines, let release, let tag, let waits):
            var json: JSON = ["update": .array(machines.map(\.json)), "waits": .bool(waits)]
            if let tag { json["tag"] = .string(tag) }
            if let release {
                json["release"] = .string(release.id)
                json["version"] = .integer(release.version)
            }
            return json.description
        case .start(let ids): return JSON.object(JSONObject([("start", .array(ids.map(JSON.string)))])).description
        case .open(let ids): return JSON.object(JSONObject([("open", .array(ids.map(JSON.string)))])).description
        }
    }

    /// Nil for a text that is not a part.
    init?(_ text: String?) {
        guard let text, let json = try? JSON(parsing: text) else { return nil }  // Nil is the answer.
        if let key = json["set"]?.string {
            self = .set(key, mark: json["mark"]?.string ?? "")
        } else if let key = json["unset"]?.string {
            self = .unset(key)
        } else if let ids = json["start"]?.array {
            self = .start(ids.compactMap(\.string))
        } else if let ids = json["open"]?.array {
            self = .open(ids.compactMap(\.string))
        } else if let rows = json["update"]?.array {
            let machines = rows.compactMap { row -> Machine? in
                guard let id = row["id"]?.string, let instance = row["instance"]?.string else { return nil }
                return Machine(id: id, instance: instance, exact: row["exact"]?.string)
            }
            guard machines.count == rows.count, !machines.isEmpty else { return nil }
            let release = json["release"]?.string.flatMap { id in
                json["version"]?.integer.map { Release(id: id, version: $0) }
            }
            self = .update(machines, release: release, tag: json["tag"]?.string, waits: json["waits"]?.bool ?? true)
        } else {
            return nil
        }
    }
}

extension FlyPart.Machine {
    fileprivate var json: JSON {
        var json: JSON = ["id": .string(id), "instance": .string(instance)]
        if let exact { json["exact"] = .string(exact) }
        return json
    }
}
