import HTTPCore
import JSONValues
import Model
import OpenAPIValidation
import ProviderContract
import ProviderKit
import RenderProvider
import Simulators
import Testing

/// The provider's requests, and the answers that it reads, against the vendor's OpenAPI document.
@Suite struct RenderOpenAPITests {
    private static let document = VendorDocument("render/render.openapi.wire.json")

    @Test(.enabled("\(document.need)") { try await document.isHere })
    func everyRequestFitsTheVendorsDocument() async throws {
        var recordings: [RecordingSimulator] = []
        func walk(_ stage: RenderStage, _ values: [String: String]? = nil, _ body: (Walk) async -> Void) async throws {
            let recording = RecordingSimulator(stage.render)
            recordings.append(recording)
            var stage = stage
            stage.world.provider = AnyProvider(
                try RenderProvider.connect(
                    ProviderEnvironment(
                        variables: ["RENDER_API_KEY": RenderStage.token, "RENDER_API_URL": RenderStage.url],
                        transport: SimulatedTransport([RenderStage.url: recording]), now: { Timestamp(millisecondsSinceEpoch: 0) })
                ).get())
            await body(Walk(stage, values: values))
        }
        try await walk(try RenderStage.make(allowRebuild: true, target: "api"), ["LEVEL": "newest"]) { walk in
            walk.isExact = true
            #expect(await walk.run() == .arrived)
            _ = await walk.stage.observe(depth: .history)
            walk.values = ["LEVEL": "again"]
            #expect(await walk.run() == .arrived)
        }
        try await walk(try RenderStage.make()) { walk in
            walk.stage.render.deployInDashboard("api")
            walk.stage.pass(200)
            #expect(await walk.run() == .arrived)
            for value in ["off", "checksPass", "no"] {
                guard let (change, intent) = try? walk.stage.world.change(after: await walk.stage.observe(.name("dep-b"))) else { return }
                _ = await walk.stage.world.provider.setAutomation(
                    FenceChange(.raise, name: "autoDeploy", from: "commit", to: value), of: walk.component.target,
                    ApplyRequest(component: "web", intent: intent, revision: change.resolution.revision))
            }
        }
        try await walk(try RenderStage.make("worker", pin: .name("v1"))) { #expect(await $0.run() == .arrived) }
        try await walk(try RenderStage.make("worker", pin: .name(RenderStage.digest1))) { walk in
            do { try await walk.stage.world.stopAndComeBack() } catch { Issue.record(error) }
        }

        let exchanges = recordings.flatMap(\.exchanges)
        let seen = recordings.reduce(into: Set<String>()) { seen, recording in
            seen.formUnion(
                recording.operations { segment in
                    ["srv-", "dep-", "evg-"].contains { segment.hasPrefix($0) } || ["LEVEL", "KEY"].contains(segment)
                })
        }
        for operation in [
            "GET /v1/services 200", "GET /v1/services/* 200", "GET /v1/services/*/deploys 200", "GET /v1/services/*/env-vars 200",
            "GET /v1/services/*/events 200", "GET /v1/env-groups 200", "GET /v1/env-groups/* 200", "PUT /v1/services/*/env-vars/* 200",
            "DELETE /v1/services/*/env-vars/* 204", "PATCH /v1/services/* 200", "POST /v1/services/*/deploys 201",
            "POST /v1/services/*/rollback 201", "POST /v1/services/*/suspend 202", "POST /v1/services/*/resume 202",
            "GET /v1/services/*/instances 200",
        ] { #expect(seen.contains(operation), "not driven: \(operation)") }
        // The document says of an event's details that exactly one form of 44 fits, and several of them require nothing: none can pass.
        let mistakes = try await Self.document.mistakes(in: exchanges.filter { !$0.target.contains("/events") })
        #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
    }
}
