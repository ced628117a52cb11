import JSONValues
import Model

/// What the status of one `System` object says, without times.
struct StatusSheet: Sendable, Hashable {
    struct Resource: Sendable, Hashable {
        /// `component/web`.
        var name: String
        var pin: String
        /// Nil when nothing is, or when nobody knows.
        var live: String?
        /// CamelCase.
        var state: String
        /// What keeps it from its pin; empty when nothing does.
        var difference = ""
        var lastKnownGood: String?
        /// The repository that a database's migrations are read from, and the commit.
        var source: String?
        var commit: String?
    }

    struct Condition: Sendable, Hashable {
        enum Status: String, Sendable {
            case yes = "True"
            case no = "False"
            case unknown = "Unknown"
        }

        var type: String
        var status: Status
        var reason: String
        var message = ""
    }

    /// The newest generation that was looked at, whether it loads or not.
    var observedGeneration: Int?
    /// The revision whose pins are wanted: a generation of the object, or a commit.
    var revision: String?
    var acceptedRevision: String?
    /// What is going on: the phase of a plan, or how the last pass ended.
    var phase = Phase.pending
    var pinned: Int?
    var total: Int?
    var resources: [Resource] = []
    var conditions: [Condition] = []

    /// Beside the phases of a plan.
    enum Phase {
        static let pending = "Pending"
        static let inSync = "InSync"
        static let retrying = "Retrying"
        static let waiting = "Waiting"
        static let failed = "Failed"
        static let blocked = "Blocked"
        static let invalid = "Invalid"
        static let leaving = "Leaving"
    }

    mutating func set(_ type: String, _ status: Condition.Status, _ reason: String, _ message: String = "") {
        let condition = Condition(type: type, status: status, reason: reason, message: Self.shortened(message))
        if let index = conditions.firstIndex(where: { $0.type == type }) {
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
    }

    /// Everything that is written of a long list can be read elsewhere.
    static func shortened(_ text: String) -> String { text.count <= 1024 ? text : text.prefix(1023) + "…" }
}

extension StatusSheet {
    /// As a status says it, to go on from there after a restart.
    init(reading status: JSON?) {
        self.init()
        guard let status else { return }
        observedGeneration = status["observedGeneration"]?.integer
        revision = status["revision"]?.string
        acceptedRevision = status["acceptedRevision"]?.string
        phase = status["phase"]?.string ?? Phase.pending
        pinned = status["pinned"]?.integer
        total = status["total"]?.integer
        resources = (status["resources"]?.elements ?? []).compactMap { json in
            json["name"]?.string.map { name in
                Resource(
                    name: name, pin: json["pin"]?.string ?? "", live: json["live"]?.string, state: json["state"]?.string ?? "",
                    difference: json["difference"]?.string ?? "", lastKnownGood: json["lastKnownGood"]?.string,
                    source: json["source"]?.string,
                    commit: json["commit"]?.string)
            }
        }
        conditions = (status["conditions"]?.elements ?? []).compactMap { json in
            guard let type = json["type"]?.string, let status = json["status"]?.string.flatMap(Condition.Status.init) else { return nil }
            return Condition(type: type, status: status, reason: json["reason"]?.string ?? "", message: json["message"]?.string ?? "")
        }
    }

    /// The status. A condition keeps the time of its last transition as long as it says the same as in `before`.
    func json(after before: JSON?, at now: Timestamp) -> JSON {
        var json: JSON = [:]
        json["observedGeneration"] = observedGeneration.map { .integer($0) }
        json["revision"] = revision.map { .string($0) }
        json["acceptedRevision"] = acceptedRevision.map { .string($0) }
        json["phase"] = .string(phase)
        json["pinned"] = pinned.map { .integer($0) }
        json["total"] = total.map { .integer($0) }
        if let pinned, let total { json["pins"] = .string("\(pinned)/\(total)") }
        if !resources.isEmpty { json["resources"] = .array(resources.map(\.json)) }
        let known = before?["conditions"]?.elements ?? []
        json["conditions"] = .array(
            conditions.map { condition in
                let old = known.first { $0["type"]?.string == condition.type }
                let since = old?["status"]?.string == condition.status.rawValue ? old?["lastTransitionTime"]?.string : nil
                var json: JSON = ["type": .string(condition.type), "status": .string(condition.status.rawValue)]
                json["observedGeneration"] = observedGeneration.map { .integer($0) }
                json["lastTransitionTime"] = .string(since ?? now.wholeSeconds)
                json["reason"] = .string(condition.reason)
                // An API server of 1.20 takes an empty text for none at all, and refuses it.
                if !condition.message.isEmpty { json["message"] = .string(condition.message) }
                return json
            })
        return json
    }
}

extension StatusSheet.Resource {
    fileprivate var json: JSON {
        var json: JSON = ["name": .string(name), "pin": .string(pin)]
        json["live"] = live.map { .string($0) }
        json["state"] = .string(state)
        if !difference.isEmpty { json["difference"] = .string(difference) }
        json["lastKnownGood"] = lastKnownGood.map { .string($0) }
        json["source"] = source.map { .string($0) }
        json["commit"] = commit.map { .string($0) }
        return json
    }
}

extension Timestamp {
    /// As Kubernetes writes times.
    var wholeSeconds: String { description.prefix(19) + "Z" }
}
