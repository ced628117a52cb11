import HTTPCore
import JSONValues
import Simulators
import Testing

/// A simulated Fly.io with one app of two machines and three releases, and a client that sends what it is told.
struct FlyStage {
    struct Failure: Error {}

    struct Answer {
        var status: Int
        var body: JSON
        var text: String
        var headers: HTTPHeaders

        var error: String? { body["error"]?.string }
    }

    static let first = "148e21a0000001"
    static let second = "148e21a0000002"
    static let machine = "/v1/apps/worker/machines/\(first)"

    let clock = ManualClock()
    let fly: FlySimulator
    let token: String

    init(token: String = "sandbox-1", _ change: (inout JSON) -> Void = { _ in }, world more: (inout JSON) -> Void = { _ in }) throws {
        var app: JSON = [
            "name": "worker", "org": "acme", "env": ["LOG": "info"], "checks": ["http"], "secrets": ["DATABASE_URL": "postgres://hidden"],
            "machines": [["id": .string(Self.first)], ["id": .string(Self.second)]],
            "releases": [["version": 85], ["version": 86, "user": "bob@example.com"], ["version": 87, "minutesAgo": 30]],
        ]
        change(&app)
        var world: JSON = ["rateLimits": false, "apps": [app]]
        more(&world)
        self.token = token
        fly = try FlySimulator(world: world, clock: clock, token: token)
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, nonce: String? = nil, authorization: String? = nil,
        headers: HTTPHeaders = [:], to simulator: (any Simulator)? = nil
    ) async throws -> Answer {
        var request = HTTPRequest(method, "http://127.0.0.1:1" + path, headers: headers)
        request.headers["Authorization"] = authorization ?? "\(token.hasPrefix("fm") ? "FlyV1" : "Bearer") \(token)"
        if let nonce { request.headers["fly-machine-lease-nonce"] = nonce }
        if let body { request.body = body.bytes }
        guard case .whole(let response) = await (simulator ?? fly).answer(request) else { throw Failure() }
        let text = String(decoding: response.body, as: UTF8.self)
        let isJSON = response.headers["Content-Type"]?.contains("json") == true
        return Answer(
            status: response.status, body: isJSON ? try JSON(parsing: response.body) : .null, text: text, headers: response.headers)
    }

    func machine(_ id: String = first) async throws -> JSON { try await send(.get, "/v1/apps/worker/machines/\(id)").body }

    func state(_ id: String = first) async throws -> String? { try await machine(id)["state"]?.string }

    func lease(_ id: String = first, ttl: Int = 60) async throws -> String {
        let answer = try await send(.post, "/v1/apps/worker/machines/\(id)/lease", ["ttl": .integer(ttl)])
        return try #require(answer.body["data"]?["nonce"]?.string)
    }

    /// Posts the config of today with another image.
    func update(
        _ image: String, _ id: String = first, nonce: String? = nil, _ more: (inout JSON) -> Void = { _ in }
    ) async throws -> Answer {
        var body: JSON = ["config": try await machine(id)["config"] ?? [:]]
        body["config"]?["image"] = .string(image)
        more(&body)
        return try await send(.post, "/v1/apps/worker/machines/\(id)", body, nonce: nonce)
    }

    /// A release's image by its digest.
    func pinned(_ tag: String) async throws -> String {
        let images = try await app["images"]?.elements
        let digest = images?.first { $0["tag"]?.string == tag }?["digest"]?.string
        return "registry.fly.io/worker@\(try #require(digest))"
    }

    var app: JSON { get async throws { try #require(await fly.world["apps"]?[0]) } }

    /// What took effect: `operation machine`.
    var writes: [String] {
        get async throws {
            try await app["writes"]?.elements.map { "\($0["operation"]?.string ?? "") \($0["machine"]?.string ?? "")" } ?? []
        }
    }

    func pass(_ seconds: Double) { clock.advance(by: .milliseconds(Int(seconds * 1000))) }
}
