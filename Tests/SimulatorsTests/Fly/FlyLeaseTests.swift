import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyLeaseTests {
    @Test func aLeaseIsToldInItsEnvelope() async throws {
        let stage = try FlyStage()
        let answer = try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 13, "description": "rollback"])
        #expect(answer.status == 201)
        #expect(answer.body["status"]?.string == "success")
        let lease = try #require(answer.body["data"])
        #expect(lease["nonce"]?.string?.count == 12)
        #expect(lease["expires_at"]?.integer == 1_795_392_013)
        #expect(lease["description"]?.string == "rollback")
        #expect(lease["version"] == (try await stage.machine()["instance_id"]))
        let shown = try await stage.send(.get, "/v1/apps/worker/machines?include_leases=true").body[0]?["lease"]
        #expect(shown?["owner"] == lease["owner"] && shown?["nonce"] == nil)
        #expect(try await stage.machine()["lease"] == nil)
    }

    static let guarded: [(HTTPMethod, String, JSON?)] = [
        (.post, "", ["config": ["image": "registry.fly.io/worker:deployment-86"]]), (.post, "/start", nil), (.post, "/stop", [:]),
        (.post, "/restart", nil), (.post, "/suspend", nil), (.delete, "?force=true", nil), (.post, "/cordon", nil),
        (.post, "/uncordon", nil), (.post, "/exec", ["cmd": "true"]),
    ]

    @Test(arguments: guarded)
    func whoDoesNotHoldTheLeaseIsRefused(_ method: HTTPMethod, _ path: String, _ body: JSON?) async throws {
        let stage = try FlyStage()
        stage.fly.holdLease("worker", FlyStage.first, for: .seconds(13))
        for nonce in [nil, "000000000000"] {
            let answer = try await stage.send(method, FlyStage.machine + path, body, nonce: nonce)
            #expect(answer.status == 409)
            #expect(
                answer.error
                    == "aborted: machine ID \(FlyStage.first) lease currently held by ada@tokens.fly.io, expires at 2026-11-23T00:00:13Z")
        }
        #expect(try await stage.writes.isEmpty)
    }

    @Test func theHolderTooNeedsItsNonce() async throws {
        let stage = try FlyStage()
        let nonce = try await stage.lease()
        #expect(try await stage.send(.post, "\(FlyStage.machine)/cordon").status == 409)
        #expect(try await stage.send(.post, "\(FlyStage.machine)/cordon", nonce: nonce).status == 200)
        #expect(try await stage.send(.post, "\(FlyStage.machine)/metadata/a", ["value": "b"]).status == 204, "not guarded")
    }

    @Test func aLeaseIsRenewedWithItsNonceAndLapsesWithoutIt() async throws {
        let stage = try FlyStage()
        let nonce = try await stage.lease(ttl: 13)
        stage.pass(10)
        let renewed = try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 13], nonce: nonce)
        #expect(renewed.status == 201)
        #expect(renewed.body["data"]?["nonce"]?.string == nonce)
        stage.pass(10)
        #expect(try await stage.send(.get, "\(FlyStage.machine)/lease").status == 200)
        #expect(try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 13]).status == 409)
        stage.pass(4)
        #expect(try await stage.send(.get, "\(FlyStage.machine)/lease").status == 404)
        let late = try await stage.send(.delete, "\(FlyStage.machine)/lease", nonce: nonce)
        #expect(late.status == 404 && late.error == "lease not found")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 13], nonce: nonce).status == 404)
    }

    @Test func aLeaseIsGivenBack() async throws {
        let stage = try FlyStage()
        let nonce = try await stage.lease()
        #expect(try await stage.send(.delete, "\(FlyStage.machine)/lease", nonce: "000000000000").status == 409)
        let answer = try await stage.send(.delete, "\(FlyStage.machine)/lease", nonce: nonce)
        #expect(answer.body == ["status": "success", "data": ["ok": true]])
        #expect(try await stage.send(.post, "\(FlyStage.machine)/cordon").status == 200)
    }

    @Test func aTimeToLiveMayStandInTheQuery() async throws {
        let answer = try await FlyStage().send(.post, "\(FlyStage.machine)/lease?ttl=120", [:])
        #expect(answer.body["data"]?["expires_at"]?.integer == 1_795_392_120)
    }
}
