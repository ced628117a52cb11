import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct RenderLimitTests {
    @Test func everyAnswerCarriesTimeIDAndLimits() async throws {
        let headers = try await RenderStage().send(.get, "/services/srv-api").headers
        #expect(headers["Date"] == "Mon, 23 Nov 2026 00:00:00 GMT")
        #expect(headers["Render-Request-Id"] != nil)
        #expect(headers["Ratelimit-Limit"] == "400" && headers["Ratelimit-Remaining"] == "399" && headers["Ratelimit-Reset"] == "60")
    }

    @Test func writesOfOneServiceShareTenAMinuteOfTheClock() async throws {
        let stage = try RenderStage()
        stage.pass(40)
        for _ in 0..<5 {
            #expect(try await stage.send(.patch, "/services/srv-api", ["branch": "main"]).status == 200)
            #expect(try await stage.send(.post, "/services/srv-api/restart").status == 200)
        }
        let refused = try await stage.send(.post, "/services/srv-api/deploys", [:])
        #expect(refused.status == 429 && refused.headers["Retry-After"] == "20")
        #expect(refused.body["message"]?.string == "rate limit exceeded")
        #expect(try await stage.send(.patch, "/services/srv-worker", [:]).status == 200, "another service has its own")
        stage.pass(20)
        #expect(try await stage.send(.post, "/services/srv-api/deploys", [:]).status == 201)
    }

    @Test func refusalsSayWhy() async throws {
        let stage = try RenderStage(worker: { $0["forbidden"] = true })
        #expect(try await stage.send(.get, "/services/srv-api", token: nil).status == 401)
        #expect(try await stage.send(.get, "/services/srv-worker").status == 403)
        #expect(try await stage.send(.get, "/services/srv-none").body["message"]?.string == "not found: srv-none")
        #expect(try await stage.send(.get, "/services/srv-api", headers: ["Accept": "text/html"]).status == 406)
        stage.render.suspend("api")
        #expect(try await stage.send(.post, "/services/srv-api/deploys", [:]).status == 409)
        #expect(try await stage.send(.post, "/services/srv-api/resume").status == 400, "billing is not ours to lift")
        stage.render.setDown(true)
        #expect(try await stage.send(.get, "/services/srv-api").status == 503)
    }
}
