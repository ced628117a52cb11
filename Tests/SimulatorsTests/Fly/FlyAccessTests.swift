import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyAccessTests {
    struct Credentials: Sendable, CustomTestStringConvertible {
        var reason: String
        var token: String
        var authorization: String
        var path: String
        var status: Int
        var testDescription: String { reason }

        init(_ reason: String, _ token: String, _ authorization: String, _ path: String, _ status: Int) {
            self.reason = reason
            self.token = token
            self.authorization = authorization
            self.path = path
            self.status = status
        }
    }

    static let machines = "/v1/apps/worker/machines"
    static let releases = "/api/v1/apps/worker/releases"
    static let manifest = "/v2/worker/manifests/deployment-87"

    @Test(arguments: [
        Credentials("an OAuth token as Bearer", "sandbox-1", "Bearer sandbox-1", machines, 200),
        Credentials("the same as FlyV1", "sandbox-1", "FlyV1 sandbox-1", machines, 200),
        Credentials("another token", "sandbox-1", "Bearer sandbox-2", machines, 401),
        Credentials("no scheme", "sandbox-1", "sandbox-1", machines, 401),
        Credentials("nothing at all", "sandbox-1", "", machines, 401),
        Credentials("a macaroon as FlyV1", "fm2_abc", "FlyV1 fm2_abc", machines, 200),
        Credentials("one of several macaroons", "fm2_abc", "FlyV1 fm2_xyz,fm2_abc", machines, 200),
        Credentials("a macaroon as Bearer", "fm2_abc", "Bearer fm2_abc", machines, 401),
        Credentials("two schemes", "fm2_abc", "Bearer FlyV1 fm2_abc", machines, 401),
        Credentials("the ledger takes macaroons as Bearer", "fm2_abc", "Bearer fm2_abc", releases, 200),
        Credentials("and as nothing else", "fm2_abc", "FlyV1 fm2_abc", releases, 401),
        Credentials("the registry takes Basic x:sandbox-1", "sandbox-1", "Basic eDpzYW5kYm94LTE=", manifest, 200),
        Credentials("or Bearer", "sandbox-1", "Bearer sandbox-1", manifest, 200),
        Credentials("but no other password", "sandbox-1", "Basic eDpzYW5kYm94LTI=", manifest, 401),
        Credentials("nor what is no Base64", "sandbox-1", "Basic !", manifest, 401),
    ])
    func tokensAreTakenUnderTheirScheme(_ credentials: Credentials) async throws {
        let answer = try await FlyStage(token: credentials.token)
            .send(.get, credentials.path, authorization: credentials.authorization)
        #expect(answer.status == credentials.status)
        guard answer.status == 401, credentials.path == Self.machines else { return }
        #expect(answer.error == "Authenticate: token validation error")
        #expect(answer.headers["WWW-Authenticate"] == "Basic realm=\"api.machines.dev\"")
    }

    @Test(
        arguments: [
            (.get, "/v1/apps", "a missing org_slug"), (.get, "/v1/nothing", "an unknown route"),
            (.put, "/v1/apps/worker/machines", "a method that there is not"), (.get, "/", "nothing"),
        ] as [(HTTPMethod, String, String)])
    func whatNoRouteAnswersIsPlainTextBeforeAnybodyIsKnown(_ method: HTTPMethod, _ path: String, _ why: String) async throws {
        let answer = try await FlyStage().send(method, path, authorization: "")
        #expect(answer.status == 404)
        #expect(answer.text == "404 page not found\n")
        #expect(answer.headers["Content-Type"]?.hasPrefix("text/plain") == true)
    }

    @Test func everyAnswerCarriesTimeAndRequest() async throws {
        let stage = try FlyStage()
        let one = try await stage.send(.get, FlyStage.machine)
        #expect(one.headers["Date"] == "Mon, 23 Nov 2026 00:00:00 GMT")
        let other = try await stage.send(.get, "/nowhere")
        #expect(one.headers["fly-request-id"]?.hasSuffix("-fra") == true)
        #expect(one.headers["fly-request-id"] != other.headers["fly-request-id"])
    }

    @Test func aCookieOfTheAppIsSetUntilItIsSent() async throws {
        let stage = try FlyStage()
        let cookie = try #require(try await stage.send(.get, FlyStage.machine).headers["Set-Cookie"])
        #expect(cookie.hasPrefix("fly_flaps_affinity=") && cookie.contains("Path=/v1/apps/worker;"))
        let headers: HTTPHeaders = ["Cookie": String(cookie.prefix { $0 != ";" })]
        #expect(try await stage.send(.get, FlyStage.machine, headers: headers).headers["Set-Cookie"] == nil)
    }

    @Test(arguments: [("own", 200), ("foreign", 403), ("destroyed", 400)])
    func appsOfOthersAndOfThePastAreRefused(_ access: String, _ status: Int) async throws {
        let stage = try FlyStage { $0["access"] = .string(access) }
        #expect(try await stage.send(.get, "/v1/apps/worker").status == status)
        #expect(try await stage.send(.get, "/v1/apps/other").status == 404)
        let apps = try await stage.send(.get, "/v1/apps?org_slug=acme").body["apps"]?.elements
        #expect(apps?.count == (status == 200 ? 1 : 0))
    }

    @Test func oneActionOnOneMachineIsLimited() async throws {
        let stage = try FlyStage(world: {
            $0["rateLimits"] = true
            $0["retryAfter"] = 2
        })
        func cordon(_ machine: String) async throws -> Int {
            try await stage.send(.post, "/v1/apps/worker/machines/\(machine)/cordon").status
        }
        var statuses: [Int] = []
        for _ in 0..<4 { statuses.append(try await cordon(FlyStage.first)) }
        #expect(statuses == [200, 200, 200, 429])
        #expect(try await cordon(FlyStage.second) == 200, "another machine has a share of its own")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/cordon").headers["Retry-After"] == "2")
        stage.pass(1)
        #expect(try await cordon(FlyStage.first) == 200)
        #expect(try await cordon(FlyStage.first) == 429)
        statuses = []
        for _ in 0..<11 { statuses.append(try await stage.send(.get, FlyStage.machine).status) }
        #expect(statuses == Array(repeating: 200, count: 10) + [429])
        for _ in 0..<20 { #expect(try await stage.send(.get, "\(FlyStage.machine)/wait").status == 200) }
    }

    @Test func theTokenTellsWhatItIsFor() async throws {
        let tokens = try await FlyStage().send(.get, "/v1/tokens/current").body["tokens"]
        #expect(tokens?[0]?["org_slug"]?.string == "acme")
        #expect(tokens?[0]?["apps"]?[0]?.string == "worker")
    }

    @Test func anOrganisationsMachinesComeInPages() async throws {
        let stage = try FlyStage()
        let page = try await stage.send(.get, "/v1/orgs/acme/machines?limit=1").body
        #expect(page["machines"]?[0]?["id"]?.string == FlyStage.first)
        let cursor = try #require(page["next_cursor"]?.string)
        let last = try await stage.send(.get, "/v1/orgs/acme/machines?limit=1&cursor=\(cursor)").body
        #expect(last["machines"]?[0]?["id"]?.string == FlyStage.second)
        #expect(last["next_cursor"] == nil)
        #expect(try await stage.send(.get, "/v1/orgs/other/machines").body["machines"]?.elements.isEmpty == true)
    }
}
