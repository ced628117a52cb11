import FlyProvider
import HTTPCore
import JSONValues
import Model
import OpenAPIValidation
import ProviderContract
import ProviderKit
import Simulators
import Testing

/// The provider's requests against the vendor's OpenAPI document of the Machines API. The ledger, GraphQL and the registry are not in it.
@Suite struct FlyOpenAPITests {
    private static let document = VendorDocument("fly/fly-machines.openapi.wire.json")

    private static let operations = [
        "GET /v1/apps/* 200", "GET /v1/apps/*/machines 200", "GET /v1/apps/*/machines/* 200", "POST /v1/apps/*/machines/* 200",
        "GET /v1/apps/*/machines/*/versions 200", "GET /v1/apps/*/machines/*/wait 200", "GET /v1/apps/*/machines/*/wait 408",
        "POST /v1/apps/*/machines/*/lease 201", "POST /v1/apps/*/machines/*/lease 409", "DELETE /v1/apps/*/machines/*/lease 200",
        "POST /v1/apps/*/machines/*/cordon 200", "GET /v1/apps/*/secrets 200", "POST /v1/apps/*/secrets 200",
        "DELETE /v1/apps/*/secrets/* 200", "POST /v1/apps/*/machines/*/stop 200", "POST /v1/apps/*/machines/*/start 200",
        "POST /v1/apps/*/machines/*/uncordon 200", "POST /v1/apps/*/machines/*/metadata/* 204",
        "DELETE /v1/apps/*/machines/*/metadata/* 204",
    ]

    @Test(.enabled("\(document.need)") { try await document.isHere })
    func everyRequestFitsTheVendorsDocument() async throws {
        let recording = try await drive()
        let driven = recording.operations { ["worker", "empty", "DATABASE_URL", "belay_stopped"].contains(String($0)) || $0.count == 14 }
        for operation in Self.operations { #expect(driven.contains(operation), "not driven: \(operation)") }
        let own = recording.exchanges.filter { $0.target.hasPrefix("/v1/") }
        let mistakes = try await Self.document.mistakes(in: own).filter { mistake in
            // Header fields of requests are not recorded, and the body `{"ok": true}` of an answer is left open.
            !mistake.hasSuffix("Missing required header parameter: fly-machine-lease-nonce") && !mistake.hasSuffix("Valid mimetypes: []")
                // An answer 204 has none.
                && !mistake.hasSuffix(" 204: answer: MissingData: Missing response data")
        }
        #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
    }

    /// Every kind of observation and every write, so that the requests that they send are seen.
    private func drive() async throws -> RecordingSimulator {
        var stage = try FlyStage.make(machines: [FlyStage.first, FlyStage.second]) { app in
            app["updateUncordons"] = true
            app["releases"] = [["version": 85, "image": "crashes"], ["version": 86], ["version": 87]]
        } api: { state in
            state["apps"] = .array((state["apps"]?.elements ?? []) + [["name": "empty"]])
        }
        let recording = RecordingSimulator(stage.fly)
        let transport = SimulatedTransport([FlyStage.url: recording])
        var variables = ["FLY_API_TOKEN": FlyStage.token]
        for name in ["FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_API_BASE_URL", "FLY_REGISTRY_URL"] { variables[name] = FlyStage.url }
        stage.world.provider = AnyProvider(
            try FlyProvider.connect(
                ProviderEnvironment(
                    variables: variables, transport: transport, now: { Timestamp(millisecondsSinceEpoch: 0) }, clock: stage.time)
            ).get())
        stage.world.transport = transport
        try await stage.send(.post, FlyStage.path() + "/cordon")
        stage.configuration = .make(["LOG": "debug"], secrets: ["API_KEY": "k-1"], isExact: true)
        _ = await stage.observe(depth: .history)
        try await stage.walk()
        stage.configuration = nil
        stage.fly.holdLease("worker", FlyStage.first, for: .seconds(5))
        _ = try await stage.go(.name("v87"))
        stage.pass(10)
        // A rollout that fails half way, and its way back.
        stage.world.component.release = .name("v85")
        _ = try await stage.go()
        try await stage.walk(.name("v86"))
        stage.pass(60)
        // An update would uncordon the machines here: of the release that is there already, nothing is updated.
        stage.world.component.release = .name("v86")
        stage.world.component.target = FlyTarget(app: "worker", strategy: .immediate)
        try await stage.world.stopAndComeBack()
        stage.world.component = Component(name: "worker", target: FlyTarget(app: "empty"), release: .name("v1"))
        #expect(await stage.observe().live == .nothing)
        return recording
    }
}
