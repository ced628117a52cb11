public import HTTPCore
public import JSONValues
import Synchronization

/// Fly.io as far as a rollback goes: the Machines API, the ledger of releases by REST and by GraphQL, and the container registry, all on
/// one listener.
///
/// Written from the published OpenAPI document and from what is known of the live API. Updates are answered at once and settle in time;
/// nobody waits: `wait` says at once whether the state is reached.
public final class FlySimulator: Simulator {
    public let name = "fly"
    let clock: any SimulatedClock
    let state: Mutex<FlyState>
    private let token: String

    /// Reads a world. What is not given has a value of its own:
    ///
    /// ```yaml
    /// rateLimits: true                 # 1/s and 3 at once for each action and machine, reading one 5/s and 10; waiting is not limited
    /// retryAfter: 2                    # seconds, behind a 429; without it the field is not sent
    /// staleVersion: 412                # what a stale current_version is answered with: 412 or 409
    /// apps:
    ///   - name: podcast-worker
    ///     org: acme                    # default personal
    ///     region: fra
    ///     machines: 2                  # of each group; or a list
    ///     groups: [app]
    ///     env: {LOG_LEVEL: info}
    ///     autostop: stop               # off, stop, suspend: of the service that every machine gets
    ///     checks: [http]               # the names of a machine's checks, which pass a little after it has started
    ///     secrets: {DATABASE_URL: postgres://…}
    ///     live: 87                     # what machines run; default: the newest complete release
    ///     releases:                    # the oldest first; version, tag and digest have defaults, ten minutes lie between two
    ///       - {version: 86, tag: deployment-86}
    ///       - {version: 87, tag: deployment-87, minutesAgo: 30, status: complete, user: ada@example.com, digest: "sha256:…"}
    ///       - {version: 88, status: running, image: crashes}     # runs, crashes, unhealthy, unpullable, pruned
    ///     seconds: {replace: 5, start: 3, stop: 2, healthy: 2, forget: 60, secrets: 0}
    /// ```
    /// A machine in a list may have: `id`, `name`, `region`, `group`, `state` (created, started, stopped, suspended, failed, destroyed,
    /// replacing), `release` (its version), `env`, `autostop`, `checks`, `mounts`, `services`, `config` (members put over the rest),
    /// `cordoned`, `host` (ok, unknown, unreachable), `helper` (release_command, console, test), `nextUpdate` (normal, pullFails,
    /// crashes, wedged, autostops, unhealthy, noCapacity), `lease` (seconds that somebody else holds one).
    /// Further keys of an app: `access` (own, foreign, destroyed), `updateUncordons`, `images` (more of the registry: tag, digest, index,
    /// image). Further keys of a release: `index` (true: the tag names an index that holds the manifest), `description`, `strategy`.
    ///
    /// - Throws: ``WorldError`` with the path of the first thing that is wrong, and what was expected there.
    public init(world: JSON, clock: any SimulatedClock, token: String) throws(WorldError) {
        let state = try FlyState(world, now: clock.milliseconds)
        self.clock = clock
        self.token = token
        self.state = Mutex(state)
    }

    public var world: JSON {
        get async {
            let now = clock.milliseconds
            return state.withLock { state in
                state.settle(until: now)
                return ["apps": .array(state.apps.map { $0.summary(at: now) })]
            }
        }
    }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let now = clock.milliseconds
        var headers: HTTPHeaders = ["Date": clock.httpDate, "Server": "Fly/simulated"]
        let (answer, id) = state.withLock { state in
            state.settle(until: now)
            let id = state.requestID(at: now)
            do throws(FlyFailure) {
                let answer = try state.respond(request, token: token, now: now)
                state.settle(until: now)
                return (answer, id)
            } catch {
                return (error.answer, id)
            }
        }
        headers["fly-request-id"] = id
        return answer.response(headers)
    }
}
