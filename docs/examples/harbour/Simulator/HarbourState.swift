import JSONValues
import Simulators

/// A service as Harbour holds it.
public struct HarbourState: Sendable {
    struct Release: Sendable {
        var id: String
        var version: String
        var commit: String
        var created: Int64
        var hasServed = true
        var isKept = true
    }

    struct Operation: Sendable {
        var id: String
        var release: String
        var note: String
        var by: String
        var begun: Int64
        var state = "running"
        /// The variables that it starts with: those written so far.
        var writes: Int
    }

    struct Variable: Sendable {
        /// Nil: removed.
        var value: String?
        var isSecret: Bool
        /// Counts every write of every variable of the service.
        var version: Int
    }

    /// How long a release takes to be served.
    static let duration: Int64 = 20_000

    let name: String
    private(set) var live: String
    private(set) var releases: [Release]
    private(set) var operations: [Operation] = []
    private(set) var variables: [String: Variable] = [:]
    private var writes = 0
    /// Of `writes`, those that the live release was started with.
    private var liveWrites = 0
    private var autodeploy = true
    /// What becomes of the operations that end from now on.
    public var failsReleases = false

    /// - Parameter versions: the oldest first, as ids `rel_1` and so on; the last one is live, all have served.
    public init(_ name: String, versions: [String], now: Int64) {
        self.name = name
        releases = versions.enumerated().map { index, version in
            let number = index + 1
            return Release(
                id: "rel_\(number)", version: version, commit: String(repeating: String(number % 10), count: 40),
                created: now - Int64(versions.count - index) * 3_600_000)
        }
        live = releases.last?.id ?? ""
    }
}

// MARK: - What people do

extension HarbourState {
    /// Sets a variable, and starts what is live with it.
    public mutating func start(with key: String, _ value: String, isSecret: Bool = false) {
        write(key, value, isSecret: isSecret)
        liveWrites = writes
    }

    public mutating func write(_ key: String, _ value: String?, isSecret: Bool = false) {
        writes += 1
        variables[key] = Variable(value: value, isSecret: isSecret, version: writes)
    }

    /// Deletes the image of a release.
    public mutating func prune(_ id: String) {
        for index in releases.indices where releases[index].id == id { releases[index].isKept = false }
    }

    public func value(of key: String) -> String? { variables[key]?.value }
}

// MARK: - Time

extension HarbourState {
    mutating func settle(_ now: Int64) {
        for index in operations.indices where operations[index].state == "running" && operations[index].begun + Self.duration <= now {
            operations[index].state = failsReleases ? "failed" : "done"
            guard !failsReleases else { continue }
            live = operations[index].release
            liveWrites = operations[index].writes
        }
    }
}

// MARK: - The API

extension HarbourState {
    typealias Answer = (status: Int, body: JSON)

    static func error(_ message: String) -> JSON { ["error": ["message": .string(message)]] }

    func description(_ now: Int64) -> JSON {
        [
            "name": .string(name), "time": .string(SimulatedTime.rfc3339(now)), "live": live.isEmpty ? .null : .string(live),
            "releases": .array(
                releases.map { release in
                    [
                        "id": .string(release.id), "version": .string(release.version), "commit": .string(release.commit),
                        "created_at": .string(SimulatedTime.rfc3339(release.created)), "served": .bool(release.hasServed),
                        "kept": .bool(release.isKept),
                    ]
                }), "operations": .array(operations.map(Self.description)), "autodeploy": .bool(autodeploy),
            "env": .array(
                variables.sorted { $0.key < $1.key }.compactMap { key, variable in
                    guard let value = variable.value else { return nil }
                    return [
                        "key": .string(key), "version": .integer(variable.version),
                        "value": variable.isSecret ? .null : .string(value),
                    ]
                }),
            "pending_env": .array(variables.filter { $0.value.version > liveWrites }.keys.sorted().map(JSON.string)),
        ]
    }

    private static func description(_ operation: Operation) -> JSON {
        [
            "id": .string(operation.id), "release": .string(operation.release), "state": .string(operation.state),
            "note": .string(operation.note), "by": .string(operation.by),
            "requested_at": .string(SimulatedTime.rfc3339(operation.begun)),
        ]
    }

    mutating func release(_ body: JSON, _ now: Int64) -> Answer {
        guard let release = releases.first(where: { $0.id == body["release"]?.string }) else { return (404, Self.error("no such release")) }
        guard release.isKept else { return (410, Self.error("the image of \(release.id) was deleted")) }
        guard !operations.contains(where: { $0.state == "running" }) else { return (409, Self.error("another release is under way")) }
        if release.id == live, writes == liveWrites { return (200, ["operation": .null]) }
        let operation = Operation(
            id: "op_\(operations.count + 1)", release: release.id, note: body["note"]?.string ?? "", by: "an API token", begun: now,
            writes: writes)
        operations.append(operation)
        return (202, ["operation": Self.description(operation)])
    }

    mutating func set(_ key: String, _ body: JSON) -> Answer {
        guard let value = body["value"]?.string else { return (422, Self.error("value is required")) }
        write(key, value, isSecret: body["secret"]?.bool ?? false)
        return (200, ["key": .string(key), "version": .integer(writes)])
    }

    mutating func remove(_ key: String) -> Answer {
        guard variables[key]?.value != nil else { return (404, Self.error("no such variable")) }
        write(key, nil)
        return (200, ["key": .string(key), "version": .integer(writes)])
    }

    mutating func setAutodeploy(_ body: JSON) -> Answer {
        guard let isOn = body["autodeploy"]?.bool else { return (422, Self.error("autodeploy is required")) }
        autodeploy = isOn
        return (200, ["autodeploy": .bool(isOn)])
    }

    var summary: JSON {
        [
            "live": .string(live), "releases": .integer(operations.count), "autodeploy": .bool(autodeploy), "writes": .integer(writes),
        ]
    }
}
