import HTTPCore
import JSONValues
import OpenAPIValidation
import Simulators
import Testing

/// The simulator's answers against the vendor's OpenAPI document.
@Suite struct RenderOpenAPITests {
    private static let document = VendorDocument("render/render.openapi.wire.json")

    @Test(.enabled("\(document.need)") { try await document.isHere })
    func everyAnswerFitsTheVendorsDocument() async throws {
        let stage = try RenderStage({
            $0["maintenance"] = [["resource": "srv-api"]]
            $0["limits"] = ["deploys": 100, "writes": 100]
        })
        stage.render.setNextDeploy("api", .buildFails)
        let failing = try await stage.deploy()
        stage.pass(100)
        let first = try await stage.deploy()
        try await stage.send(.post, "/services/srv-api/deploys", ["commitId": .string(RenderStage.shaA)])
        try await stage.send(.post, "/services/srv-api/deploys/\(first)/cancel")
        stage.pass(200)
        _ = try await stage.rollBack(to: "dep-a")
        stage.pass(60)
        for path in ["", "/srv-api", "/srv-worker", "/srv-api/deploys", "/srv-worker/deploys", "/srv-api/deploys/\(failing)"] {
            try await stage.send(.get, "/services\(path)")
        }
        try await stage.send(.patch, "/services/srv-worker", ["image": ["ownerId": "tea-acme", "imagePath": "ghcr.io/acme/worker:v1"]])
        try await stage.send(
            .patch, "/services/srv-api",
            ["autoDeploy": "no", "serviceDetails": ["maintenanceMode": ["enabled": true, "uri": ""]]])
        try await stage.send(.put, "/services/srv-api/env-vars/KEY", ["value": "other"])
        try await stage.send(.put, "/services/srv-api/env-vars/MADE", ["generateValue": true])
        try await stage.send(.delete, "/services/srv-api/env-vars/MADE")
        try await stage.send(.put, "/services/srv-api/env-vars", [["key": "A", "value": "1"]])
        try await stage.send(.put, "/services/srv-api/secret-files/f", ["content": "x"])
        for path in ["env-vars", "env-vars/A", "secret-files", "secret-files/f", "instances", "events"] {
            try await stage.send(.get, "/services/srv-api/\(path)")
        }
        try await stage.send(.put, "/env-groups/evg-shared/env-vars/TEAM", ["value": "red"])
        try await stage.send(.post, "/env-groups/evg-shared/services/srv-worker")
        try await stage.send(.delete, "/env-groups/evg-shared/services/srv-worker")
        try await stage.send(.post, "/services/srv-api/scale", ["numInstances": 3])
        for verb in ["restart", "suspend", "resume"] { try await stage.send(.post, "/services/srv-api/\(verb)") }
        for path in ["/env-groups", "/env-groups/evg-shared", "/maintenance", "/owners", "/users", "/services/srv-none"] {
            try await stage.send(.get, path)
        }
        try await stage.send(.get, "/services/srv-api", token: "wrong")
        let seen = stage.recording.operations { $0.contains("-") && $0 != "env-vars" && $0 != "env-groups" && $0 != "secret-files" }
        for operation in ["POST /v1/services/*/deploys 201", "POST /v1/services/*/deploys 202", "POST /v1/services/*/rollback 201"] {
            #expect(seen.contains(operation), "not driven: \(operation)")
        }
        // The document says of an event's details that exactly one form of 44 fits, and several of them require nothing: none can pass.
        let exchanges = stage.recording.exchanges.filter { !$0.target.hasSuffix("/events") }
        let mistakes = try await Self.document.mistakes(in: exchanges)
        #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
    }
}
