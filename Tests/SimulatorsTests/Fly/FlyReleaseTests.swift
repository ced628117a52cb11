import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyReleaseTests {
    private static let releases = "/api/v1/apps/worker/releases"

    private func query(_ stage: FlyStage, _ text: String, _ variables: JSON = ["appName": "worker", "limit": 25]) async throws -> JSON {
        let answer = try await stage.send(.post, "/graphql", ["query": .string(text), "variables": variables])
        #expect(answer.status == 200)
        return answer.body
    }

    @Test func theLedgerIsReadByRESTNewestFirst() async throws {
        let stage = try FlyStage()
        let all = try await stage.send(.get, "\(Self.releases)?limit=2").body["releases"]
        #expect(all?.elements.map { $0["version"]?.integer } == [87, 86])
        #expect(all?[1]?["user"]?.string == "bob@example.com")
        #expect(all?[0]?["image_ref"]?.string == "registry.fly.io/worker:deployment-87")
        #expect(all?[0]?["created_at"]?.string == "2026-11-22T23:30:00Z")
        #expect(try await stage.send(.get, "\(Self.releases)/current").body == all?[0])
        let unknown = try await stage.send(.get, "/api/v1/apps/other/releases")
        #expect(unknown.status == 404 && unknown.text == "app not found")
    }

    @Test func anAppWithoutReleasesHasNoCurrentOne() async throws {
        let stage = try FlyStage { $0["releases"] = [] }
        #expect(try await stage.send(.get, "\(Self.releases)/current").status == 404)
        let body = try await query(stage, "{ app(name: \"worker\") { currentReleaseUnprocessed { id } } }")
        #expect(body == ["data": ["app": ["currentReleaseUnprocessed": nil]]])
    }

    @Test func aReleaseIsWrittenByItsClient() async throws {
        let stage = try FlyStage()
        let body: JSON = [
            "app_name": "worker", "build_id": 0, "definition": [:], "image": "registry.fly.io/worker:deployment-86", "strategy": "ROLLING",
        ]
        let made = try await stage.send(.post, "/api/v1/releases", body)
        #expect(made.status == 201)
        let release = try #require(made.body["release"])
        #expect(release["version"]?.integer == 88 && release["status"]?.string == "pending")
        let path = "/api/v1/releases/\(release["id"]?.string ?? "")"
        #expect(try await stage.send(.patch, path, ["status": "running"]).body["in_progress"]?.bool == true)
        #expect(try await stage.send(.patch, path, ["status": "complete", "metadata": nil]).body["stable"]?.bool == true)
        let late = try await stage.send(.patch, path, ["status": "failed"])
        #expect(late.status == 422 && late.text == "the release has already finished")
        #expect(try await stage.send(.patch, "/api/v1/releases/nowhere", ["status": "failed"]).status == 404)
        #expect(try await stage.machine()["config"]?["metadata"]?["fly_release_version"]?.string == "87", "no machine knows of it")
        #expect(try await stage.writes == ["create-release ", "update-release ", "update-release "])
    }

    @Test func theLedgerIsReadByGraphQL() async throws {
        let stage = try FlyStage()
        let body = try await query(
            stage,
            """
            query($appName: String!, $limit: Int!) {
              app(name: $appName) {
                releases: releasesUnprocessed(first: $limit) {
                  nodes { id version description reason status imageRef stable user { id email name } createdAt }
                }
              }
            }
            """, ["appName": "worker", "limit": 2])
        let nodes = try #require(body["data"]?["app"]?["releases"]?["nodes"])
        #expect(nodes.elements.map { $0["version"]?.integer } == [87, 86])
        #expect(nodes[0]?["imageRef"]?.string == "registry.fly.io/worker:deployment-87")
        #expect(nodes[1]?["user"]?["email"]?.string == "bob@example.com")
        #expect(nodes[0]?["strategy"] == nil)
    }

    @Test func theCurrentReleaseTheAppAndItsSecretsAreReadByGraphQL() async throws {
        let stage = try FlyStage()
        let app = try await query(
            stage,
            """
            query ($appName: String!) { app(name: $appName) {
              id name hostname organization { slug } secrets { name digest }
              currentRelease: currentReleaseUnprocessed { id version imageRef }
            } }
            """
        )["data"]?["app"]
        #expect(app?["currentRelease"]?["version"]?.integer == 87)
        #expect(app?["organization"] == ["slug": "acme"])
        #expect(app?["secrets"]?[0]?["name"]?.string == "DATABASE_URL")
    }

    @Test(arguments: [
        ("an unknown app", "{ app(name: \"other\") { id } }", "NOT_FOUND"),
        ("an unknown field", "{ app(name: \"worker\") { nothing } }", "undefinedField"),
        ("no query", "{ app(", "parseError"),
    ])
    func aQueryThatFailsIsAnsweredWithErrors(_ why: String, _ text: String, _ code: String) async throws {
        let body = try await query(try FlyStage(), text)
        #expect(body["errors"]?[0]?["extensions"]?["code"]?.string == code)
        #expect(body["data"]?["app"] == nil)
    }

    @Test func aTokenThatIsNotKnownIsAnErrorOfGraphQL() async throws {
        let answer = try await FlyStage().send(.post, "/graphql", ["query": "{ app(name: \"worker\") { id } }"], authorization: "Bearer no")
        #expect(answer.status == 200)
        #expect(answer.body["errors"]?[0]?["extensions"]?["code"]?.string == "UNAUTHORIZED")
    }

    @Test func releasesComeInPagesByGraphQL() async throws {
        let stage = try FlyStage()
        func page(_ after: String) async throws -> JSON? {
            try await query(
                stage,
                "{ app(name: \"worker\") { releasesUnprocessed(first: 2, after: \"\(after)\") { nodes { version } totalCount "
                    + "pageInfo { hasNextPage endCursor } } } }"
            )["data"]?["app"]?["releasesUnprocessed"]
        }
        let first = try await page("")
        #expect(first?["pageInfo"] == ["hasNextPage": true, "endCursor": "2"])
        let last = try await page("2")
        #expect(last?["nodes"] == [["version": 85]])
        #expect(last?["pageInfo"]?["hasNextPage"]?.bool == false)
    }
}
