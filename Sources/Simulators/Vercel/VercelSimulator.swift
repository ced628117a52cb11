public import HTTPCore
public import JSONValues
import Synchronization

/// Vercel's REST API as far as deployments, projects, their production domains, their environment variables and Edge Configs go.
///
/// Written from the published OpenAPI document and from what is known of the live API. Everything takes its time: builds, checks, and
/// the jobs that move domains one by one. Answers are a function of the world and of the clock.
public final class VercelSimulator: Simulator {
    public let name = "vercel"
    let clock: any SimulatedClock
    let state: Mutex<VercelState>
    private let token: String
    private let answered = Atomic<Int>(0)

    /// Reads a world. What is not given has a value of its own:
    ///
    /// ```yaml
    /// plan: pro                        # hobby, pro, enterprise
    /// unauthorized: 403                # what a wrong token is answered with; some endpoints say 401
    /// sensitiveEnvironmentVariablePolicy: off   # of all teams; on makes encrypted variables sensitive
    /// rateLimits: [{bucket: deployments.list, limit: 10, seconds: 60, retryAfter: true}]
    /// projects:
    ///   - name: podcast-web            # its id is prj_podcastweb
    ///     team: acme                   # its id is team_acme; without one: a personal account
    ///     repository: acme/podcast
    ///     domains: [podcast.example.com, {name: www.podcast.example.com, redirect: podcast.example.com}]
    ///     production: dpl_7HxQ2m       # what is live; ready production deployments before it have served, later ones are staged
    ///     autoAssign: true
    ///     env:                         # type: by default encrypted; target: by default all that the type can have
    ///       - {key: API_URL, value: https://api.example.com, type: plain, target: [production, preview], comment: set by hand}
    ///     nextEnv: {failing: [API_URL]}      # keys that the next creation of variables leaves out
    ///     seconds: {queue: 1, build: 60, assign: 1, pending: 0.5, job: 2}
    ///     deployments:                 # minutesAgo: by default its position in the list
    ///       - {id: dpl_7HxQ2m, sha: 3f2c1ab…, message: New player, minutesAgo: 30, target: production, state: READY}
    ///     nextJob: {outcome: failed, failing: [podcast.example.com]}   # succeeded, failed, skipped, neverBegins, neverEnds
    ///     nextBuild: error             # ready, error, blocked, canceled, stuck
    ///     nextAssignment: checksFailed # normal, checksFailed, checksPending, skipped, error
    ///     rollingRelease: {stages: [{percentage: 10, minutes: 5}, {percentage: 100}]}
    ///     stuckCursor: false           # true: a page's cursor does not advance
    /// edgeConfigs:
    ///   - id: ecfg_flags
    ///     team: acme
    ///     items: {flags: {new_player: true}}
    ///     missing: 204                 # what an item that is not there is answered with: 204, or 404 as documented
    /// ```
    /// Further keys of a deployment: `url`, `ref`, `author`, `meta`, `prebuilt`, `staged` (older than the live one, yet never served), `env`
    /// (a mapping from keys to the values that it was built with; by default those of the project). Of a variable: `id`, `gitBranch`.
    ///
    /// - Throws: ``WorldError`` with the path of the first thing that is wrong, and what was expected there.
    public init(world: JSON, clock: any SimulatedClock, token: String) throws(WorldError) {
        let state = try VercelState(world, now: clock.milliseconds)
        self.clock = clock
        self.token = token
        self.state = Mutex(state)
    }

    /// Every project with its deployments and the writes that took effect. In place of a variable's value stands a marker that changes with
    /// it, on a project as the value is now, on a deployment as it was when that was built.
    public var world: JSON {
        get async {
            let now = clock.milliseconds
            return state.withLock { state in
                state.settle(until: now)
                var world: JSON = ["plan": .string(state.plan), "projects": .array(state.projects.map { $0.summary(at: now) })]
                if !state.edgeConfigs.isEmpty { world["edgeConfigs"] = .array(state.edgeConfigs.map(\.summary)) }
                return world
            }
        }
    }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let now = clock.milliseconds
        let count = answered.add(1, ordering: .relaxed).newValue
        var headers: HTTPHeaders = ["Date": clock.httpDate, "Server": "Vercel", "X-Vercel-Id": "fra1::iad1::sim-\(count)"]
        let isKnown = request.headers["Authorization"] == "Bearer \(token)"
        let result: Result<(VercelAnswer, HTTPHeaders), VercelFailure> = state.withLock { state in
            state.settle(until: now)
            do throws(VercelFailure) {
                guard isKnown else { throw VercelFailure(state.refusal, "forbidden", "Not authorized") }
                let (route, call) = try VercelRoute.find(request, now)
                let limits = try state.count(route.bucket, now)
                var answer = try route.handle(&state, call)
                state.settle(until: now)
                if let body = answer.body, case .object = body, answer.status == 204 { answer.body = nil }
                return .success((answer, limits))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success((let answer, let limits)):
            for field in limits.fields { headers[field.name] = field.value }
            guard let body = answer.body else { return .whole(HTTPResponse(status: answer.status, headers: headers)) }
            return .json(answer.status, body, headers: headers)
        case .failure(let failure):
            for field in failure.headers.fields { headers[field.name] = field.value }
            return .json(failure.status, ["error": .object(failure.body)], headers: headers)
        }
    }
}

/// An answer of a 2xx status.
struct VercelAnswer {
    var status: Int
    var body: JSON?

    init(_ status: Int = 200, _ body: JSON? = nil) {
        self.status = status
        self.body = body
    }
}

/// An answer of any other status.
struct VercelFailure: Error {
    var status: Int
    var body: JSONObject
    var headers: HTTPHeaders = [:]

    init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        body = JSONObject([("code", .string(code)), ("message", .string(message))])
    }
}

extension VercelState {
    /// Counts a request against its bucket; the headers that tell of it.
    fileprivate mutating func count(_ bucket: String, _ now: Int64) throws(VercelFailure) -> HTTPHeaders {
        guard let index = limits.firstIndex(where: { $0.bucket == bucket }) else { return [:] }
        if now - limits[index].since >= limits[index].window {
            limits[index].since = now
            limits[index].used = 0
        }
        limits[index].used += 1
        let limit = limits[index]
        let reset = limit.since + limit.window
        var headers: HTTPHeaders = [
            "X-RateLimit-Limit": String(limit.count), "X-RateLimit-Remaining": String(max(0, limit.count - limit.used)),
            "X-RateLimit-Reset": String((reset + 999) / 1000),
        ]
        guard limit.used > limit.count else { return headers }
        if limit.saysRetryAfter { headers["Retry-After"] = String((reset - now + 999) / 1000) }
        var failure = VercelFailure(429, "rate_limited", "The rate limit of \(limit.count) exceeded for '\(bucket)'.")
        failure.body["limit"] = [
            "remaining": 0, "reset": .integer(Int(reset / 1000)), "resetMs": .integer(Int(reset)), "total": .integer(limit.count),
        ]
        failure.headers = headers
        throw failure
    }
}
