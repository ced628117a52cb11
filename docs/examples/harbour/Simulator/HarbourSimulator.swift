public import HTTPCore
public import JSONValues
public import Simulators
import Synchronization

/// Harbour's API with one service, written from the vendor's contract.
public final class HarbourSimulator: Simulator {
    public let name = "harbour"
    private let clock: any SimulatedClock
    private let token: String
    private let service: Mutex<HarbourState>

    public init(_ service: HarbourState, clock: any SimulatedClock, token: String) {
        self.clock = clock
        self.token = token
        self.service = Mutex(service)
    }

    /// What is held and what was done. Values of variables stay out of it.
    public var world: JSON { get async { change { $0.summary } } }

    /// Looks, or does by hand what somebody does in the dashboard.
    public func change<Result: Sendable>(_ body: (inout HarbourState) -> Result) -> Result {
        let now = clock.milliseconds
        return service.withLock { service in
            service.settle(now)
            return body(&service)
        }
    }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let headers: HTTPHeaders = ["Date": clock.httpDate]
        guard request.headers["Authorization"] == "Bearer \(token)" else {
            return .json(401, HarbourState.error("bad token"), headers: headers)
        }
        let path = RequestTarget(url: request.url).path
        let body = (try? JSON(parsing: request.body)) ?? [:]  // What is no JSON has none of the fields.
        let now = clock.milliseconds
        let (status, answer) = change { service in
            guard path.count >= 2, path[0] == "services", path[1] == service.name else {
                return (404, HarbourState.error("no such service"))
            }
            return switch (request.method, path.dropFirst(2).first, path.dropFirst(3).first) {
            case (.get, nil, nil): (200, service.description(now))
            case (.patch, nil, nil): service.setAutodeploy(body)
            case (.post, "release", nil): service.release(body, now)
            case (.put, "env", let key?): service.set(key, body)
            case (.delete, "env", let key?): service.remove(key)
            default: (404, HarbourState.error("no such operation"))
            }
        }
        return .json(status, answer, headers: headers)
    }
}
