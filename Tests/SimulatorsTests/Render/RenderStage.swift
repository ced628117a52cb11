import HTTPCore
import JSONValues
import OpenAPIValidation
import Simulators

/// A simulated Render with two services: `api` from Git and `worker` from an image.
struct RenderStage {
    static let shaA = "aaaaaaa000000000000000000000000000000001"
    static let shaB = "bbbbbbb000000000000000000000000000000002"
    static let shaC = "ccccccc000000000000000000000000000000003"

    struct Failure: Error {}

    typealias Answer = (status: Int, body: JSON, headers: HTTPHeaders)

    let clock = ManualClock()
    let render: RenderSimulator
    let recording: RecordingSimulator

    /// `api`: A and B have served, X failed, C is live. `worker`: v1 has served, v2 is live.
    init(
        _ more: (inout JSON) -> Void = { _ in }, api: (inout JSON) -> Void = { _ in }, worker: (inout JSON) -> Void = { _ in }
    ) throws {
        var first: JSON = [
            "name": "api", "env": ["LEVEL": "new", "KEY": "secret-value"], "numInstances": 2, "startCommand": "new",
            "envGroups": ["shared"],
            "deploys": [
                [
                    "id": "dep-a", "commit": .string(Self.shaA), "message": "First", "env": ["LEVEL": "old"], "numInstances": 3,
                    "startCommand": "old",
                ],
                ["id": "dep-b", "commit": .string(Self.shaB), "message": "Second"],
                ["id": "dep-x", "commit": "dddddddd", "status": "build_failed"],
                ["id": "dep-c", "commit": .string(Self.shaC), "message": "Third"],
            ],
        ]
        var second: JSON = [
            "name": "worker", "type": "background_worker", "imagePath": "ghcr.io/acme/worker:v2",
            "deploys": [["id": "dep-1", "tag": "v1", "sha": "sha256:111"], ["id": "dep-2", "tag": "v2", "sha": "sha256:222"]],
        ]
        api(&first)
        worker(&second)
        var world: JSON = [
            "envGroups": [["name": "shared", "env": ["LEVEL": "group", "TEAM": "blue"]]], "services": [first, second],
        ]
        more(&world)
        render = try RenderSimulator(world: world, clock: clock, token: "rnd_token")
        recording = RecordingSimulator(render)
    }

    @discardableResult
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, token: String? = "rnd_token", headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var request = HTTPRequest(method, "https://api.render.test/v1\(path)", headers: headers)
        if let token { request.headers["Authorization"] = "Bearer \(token)" }
        if let body { request.body = body.bytes }
        guard case .whole(let response) = await recording.answer(request) else { throw Failure() }
        return (response.status, response.body.isEmpty ? .null : try JSON(parsing: response.body), response.headers)
    }

    func pass(_ seconds: Int) { clock.advance(by: .seconds(seconds)) }

    /// A service as the simulator holds it.
    func world(_ service: String = "api") async -> JSON {
        await render.world["services"]?.elements.first { $0["name"]?.string == service } ?? .null
    }

    /// What runs.
    func live(_ service: String = "api") async -> JSON { await world(service)["live"] ?? .null }

    func status(_ deploy: String, _ service: String = "srv-api") async throws -> String {
        try await send(.get, "/services/\(service)/deploys/\(deploy)").body["status"]?.string ?? ""
    }

    /// Begins a deploy; its id.
    func deploy(_ service: String = "srv-api", _ body: JSON = [:]) async throws -> String {
        try await send(.post, "/services/\(service)/deploys", body).body["id"]?.string ?? ""
    }

    func rollBack(to deploy: String, _ service: String = "srv-api") async throws -> Answer {
        try await send(.post, "/services/\(service)/rollback", ["deployId": .string(deploy)])
    }

    /// Ids of the deploys, the newest first.
    func deploys(_ query: String = "", _ service: String = "srv-api") async throws -> [String] {
        try await send(.get, "/services/\(service)/deploys\(query)").body.elements.compactMap { $0["deploy"]?["id"]?.string }
    }

    func operations(_ service: String = "api") async -> [String] {
        await world(service)["writes"]?.elements.compactMap { $0["operation"]?.string } ?? []
    }
}
