import HTTPCore
import JSONValues

/// Everything a simulated Render holds.
struct RenderState: Sendable {
    enum Policy: String, Sendable, CaseIterable { case wait, override }

    /// What a rollback is answered with while another deploy runs: the vendor does not say.
    enum Overlap: String, Sendable, CaseIterable { case queued, refused }

    struct Limits: Sendable {
        var reads = 400
        var deploys = 10
        var writes = 30
    }

    var owner: String
    var policy: Policy
    var retention: Int
    var services: [RenderService] = []
    var groups: [RenderGroup] = []
    var maintenance: [RenderMaintenance] = []
    var registry = RenderRegistry()
    var limits = Limits()
    /// Buckets by their name: the minute of the clock, and how many requests it saw.
    var used: [String: (minute: Int64, count: Int)] = [:]
    /// What a rollback to a build that is gone is answered with.
    var goneStatus = 400
    var rollbackStopsAutoDeploy = false
    var rollbackOverlap: Overlap = .queued
    var groupWritesDeploy = true
    /// A deploy cannot be read for so long after it was made.
    var hidesNewDeploys: Int64 = 0
    var isDown = false
    /// Of ids, times and cursors that the simulator made up.
    var made = 0

    /// The same in every run.
    mutating func makeID(_ prefix: String) -> String {
        made += 1
        return "\(prefix)-\(RenderText.letters("\(prefix) \(made)", 20))"
    }

    /// No two things begin at one moment, and everything begins after the request for it.
    mutating func moment(_ now: Int64) -> RenderTime {
        made += 1
        return RenderTime(milliseconds: now, Int64(made % 900) + 50)
    }

    /// The variables of a service and of its groups, the service's own winning.
    func environment(_ snapshot: RenderDeploy.Snapshot) -> [RenderVariable] {
        var all: [RenderVariable] = snapshot.variables
        for group in groups where snapshot.groups.contains(group.id) {
            for variable in group.variables where !all.contains(where: { $0.key == variable.key }) { all.append(variable) }
        }
        return all.sorted { $0.key < $1.key }
    }

    func linkedGroups(_ service: String) -> [String] { groups.filter { $0.services.contains(service) }.map(\.id) }

    mutating func add(_ type: String, _ details: JSON, to service: Int, _ now: Int64) {
        let event = RenderEvent(id: makeID("evt"), at: moment(now), type: type, details: details)
        services[service].events.append(event)
    }

    /// Counts a request against its bucket; the headers that tell of it. Windows are minutes of the clock.
    mutating func count(_ bucket: RenderRoute.Bucket, _ call: RenderCall) throws(RenderFailure) -> HTTPHeaders {
        let name: String
        let limit: Int
        switch bucket {
        case .reads: (name, limit) = ("reads", limits.reads)
        case .deploys: (name, limit) = ("deploys \(call["service"])", limits.deploys)
        case .writes: (name, limit) = ("writes", limits.writes)
        }
        let minute = call.now / 60_000
        var seen = used[name].flatMap { $0.minute == minute ? $0.count : nil } ?? 0
        seen += 1
        used[name] = (minute, seen)
        let reset = String((60_000 - call.now % 60_000 + 999) / 1000)
        var headers: HTTPHeaders = [
            "Ratelimit-Limit": String(limit), "Ratelimit-Remaining": String(max(0, limit - seen)), "Ratelimit-Reset": reset,
        ]
        guard seen > limit else { return headers }
        headers["Retry-After"] = reset
        var failure = RenderFailure(429, "rate limit exceeded")
        failure.headers = headers
        throw failure
    }
}

/// An answer of a 2xx status.
struct RenderAnswer {
    var status: Int
    var body: JSON?

    init(_ status: Int = 200, _ body: JSON? = nil) {
        self.status = status
        self.body = body
    }
}

/// An answer of any other status.
struct RenderFailure: Error {
    var status: Int
    var message: String
    var headers: HTTPHeaders = [:]

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    static func notFound(_ what: String) -> RenderFailure { RenderFailure(404, "not found: \(what)") }
    static func wrong(_ message: String) -> RenderFailure { RenderFailure(400, message) }
}
