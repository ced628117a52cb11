public import HTTPCore
public import JSONValues
import Synchronization

/// Render's REST API as far as services, deploys, their environment and env groups go.
///
/// Written from the published OpenAPI document and from recorded traffic. A deploy takes its time and another one waits for it or ends it;
/// what is saved is not what runs. Answers are a function of the world and of the clock.
public final class RenderSimulator: Simulator {
    public let name = "render"
    let clock: any SimulatedClock
    let state: Mutex<RenderState>
    private let token: String
    private let answered = Atomic<Int>(0)

    /// Reads a world. What is not given has a value of its own:
    ///
    /// ```yaml
    /// ownerId: tea-acme
    /// policy: wait                     # wait, override: what a deploy does to the one that runs
    /// retention: 10                    # how many builds that have served are kept
    /// artifactGone: 400                # what a rollback to a build that is gone is answered with; 404 is as likely
    /// rollbackStopsAutoDeploy: false   # the document says false, a live drill saw true
    /// rollbackDuringDeploy: queued     # queued, refused: the document says neither
    /// groupWritesDeploy: true          # a write to an env group deploys the linked services
    /// hidesNewDeploys: 0               # seconds for which a new deploy is not found
    /// limits: {reads: 400, deploys: 10, writes: 30}   # a minute; deploys is for each service
    /// envGroups:
    ///   - {name: shared, env: {LOG_LEVEL: info}}      # its id is evg-shared
    /// maintenance:
    ///   - {resource: srv-api, state: scheduled, inMinutes: 60}
    /// services:
    ///   - name: api                    # its id is srv-api, a cron job's crn-api
    ///     type: web_service            # static_site, private_service, background_worker, cron_job
    ///     runtime: node                # git is node; image is what imagePath implies
    ///     repo: https://github.com/acme/api
    ///     branch: main
    ///     imagePath: ghcr.io/acme/api:v2                # instead of repo and branch
    ///     autoDeploy: commit           # off, commit, checksPass; false and true too
    ///     env: {LOG_LEVEL: debug}
    ///     envGroups: [shared]
    ///     numInstances: 1
    ///     suspended: user              # or billing, admin…; true is user
    ///     disk: data                   # rules out more than one instance
    ///     autoscaling: false
    ///     startCommand: npm start
    ///     preDeployCommand: npm run migrate
    ///     healthCheckPath: /healthz
    ///     plan: starter                # free has no maintenance mode
    ///     forbidden: false             # true: the key may not use it
    ///     seconds: {queue: 0, build: 90, preDeploy: 5, update: 25, push: 20, healthCheck: 900}
    ///     commits: [{id: 7c1d…, message: Never deployed}]   # of the branch, beside those of the deploys
    ///     next: stuck                  # succeeds, buildFails, preDeployFails, healthCheckFails, stuck
    ///     deploys:                     # the oldest first; the last of status live is live
    ///       - {id: dep-a, commit: 3f2c1ab…, message: New player, minutesAgo: 120}
    ///       - {id: dep-b, commit: 8d02b77…, status: build_failed, env: {LOG_LEVEL: info}, numInstances: 2, trigger: new_commit}
    ///       - {tag: v2, sha: "sha256:…"}                # of an image-backed service
    /// ```
    /// Further keys of a deploy: `startCommand`, `healthCheckPath`, `envGroups`, and `artifact: false` for a build that is gone.
    ///
    /// - Throws: ``WorldError`` with the path of the first thing that is wrong, and what was expected there.
    public init(world: JSON, clock: any SimulatedClock, token: String) throws(WorldError) {
        let state = try RenderState(world, now: clock.milliseconds)
        self.clock = clock
        self.token = token
        self.state = Mutex(state)
    }

    /// What stands in ``world`` for a value that must not be seen there.
    public static func marker(of value: String) -> String { ValueMarker.of(value) }

    public var world: JSON {
        get async {
            let now = clock.milliseconds
            return state.withLock { state in
                state.settle(until: now)
                return state.summary
            }
        }
    }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let now = clock.milliseconds
        let count = answered.add(1, ordering: .relaxed).newValue
        var headers: HTTPHeaders = ["Date": clock.httpDate, "Render-Request-Id": RenderText.letters("request \(count)", 16)]
        let isKnown = request.headers["Authorization"] == "Bearer \(token)"
        let result: Result<(RenderAnswer, HTTPHeaders), RenderFailure> = state.withLock { state in
            state.settle(until: now)
            var limits: HTTPHeaders = [:]
            do throws(RenderFailure) {
                guard !state.isDown else { throw RenderFailure(503, "service unavailable") }
                guard isKnown else { throw RenderFailure(401, "unauthorized") }
                guard request.acceptsJSON else { throw RenderFailure(406, "not acceptable") }
                let (route, call) = try RenderRoute.find(request, now)
                limits = try state.count(route.bucket, call)
                let answer = try route.handle(&state, call)
                state.settle(until: now)
                return .success((answer, limits))
            } catch {
                var failure = error
                for field in limits.fields { failure.headers[field.name] = field.value }
                return .failure(failure)
            }
        }
        switch result {
        case .success((let answer, let limits)):
            for field in limits.fields { headers[field.name] = field.value }
            guard let body = answer.body else { return .whole(HTTPResponse(status: answer.status, headers: headers)) }
            return .json(answer.status, body, headers: headers)
        case .failure(let failure):
            for field in failure.headers.fields { headers[field.name] = field.value }
            return .json(failure.status, ["message": .string(failure.message)], headers: headers)
        }
    }
}

extension HTTPRequest {
    fileprivate var acceptsJSON: Bool {
        guard let accept = headers["Accept"] else { return true }
        return ["application/json", "application/*", "*/*"].contains { accept.contains($0) }
    }
}
