public import HTTPCore

/// What is served under which path.
public struct Endpoints: Sendable {
    /// Whether the process still works; must answer within a few seconds.
    public var alive: @Sendable () async -> [HealthCheck]
    public var ready: @Sendable () -> [HealthCheck]
    /// The numbers, in the form that the field `Accept` asks for: the body, and its type.
    public var metrics: @Sendable (_ accept: String?) async -> (text: String, type: String)
    public var webhooks: WebhookEndpoint
    /// Told of every answer: its path, or `other`, and its status.
    public var answered: @Sendable (_ path: String, _ status: Int) -> Void

    public init(
        alive: @escaping @Sendable () async -> [HealthCheck], ready: @escaping @Sendable () -> [HealthCheck],
        metrics: @escaping @Sendable (_ accept: String?) async -> (text: String, type: String), webhooks: WebhookEndpoint,
        answered: @escaping @Sendable (_ path: String, _ status: Int) -> Void = { _, _ in }
    ) {
        self.alive = alive
        self.ready = ready
        self.metrics = metrics
        self.webhooks = webhooks
        self.answered = answered
    }

    public func answer(_ request: ServedRequest) async -> HTTPResponse {
        let (path, response) = await route(request)
        answered(path, response.status)
        return response
    }

    private func route(_ request: ServedRequest) async -> (String, HTTPResponse) {
        let path = request.path
        switch path {
        case "/healthz":
            return (path, await read(request) { await alive().response(of: "healthz", verbose: request.asks(for: "verbose")) })
        case "/readyz": return (path, await read(request) { ready().response(of: "readyz", verbose: request.asks(for: "verbose")) })
        case "/metrics":
            return (
                path,
                await read(request) {
                    let (text, type) = await metrics(request.headers["Accept"])
                    return .text(200, text, headers: ["Content-Type": type])
                }
            )
        default:
            guard path.hasPrefix("/webhooks/"), let sender = WebhookSender(path: String(path.dropFirst("/webhooks/".count))) else {
                return ("other", .text(404, "not found; there are: /healthz /readyz /metrics \(WebhookSender.paths)\n"))
            }
            guard request.method == "POST" else { return (path, Self.notAllowed("POST")) }
            return (path, await webhooks.answer(request, from: sender))
        }
    }

    private func read(_ request: ServedRequest, _ answer: () async -> HTTPResponse) async -> HTTPResponse {
        guard request.method == "GET" || request.method == "HEAD" else { return Self.notAllowed("GET, HEAD") }
        return await answer()
    }

    /// What was sent along is not read.
    private static func notAllowed(_ methods: String) -> HTTPResponse {
        .text(405, "use \(methods)\n", headers: ["Allow": methods, "Connection": "close"])
    }
}
