import CurlTransport
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import Testing

@Suite struct FaultTests {
    enum Seen: Sendable, Hashable, CustomTestStringConvertible {
        case answer(Int, body: String?)
        case noAnswer
        var testDescription: String { "\(self)" }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var rule: String
        var method = HTTPMethod.post
        var path = "/things"
        /// What each of the requests meets, one after the other.
        var seen: [Seen]
        /// How often the vendor's world changed afterwards.
        var effects: Int
        var testDescription: String { why }
    }

    static let normal = Seen.answer(200, body: nil)

    static let cases = [
        Case(why: "a status alone: no effect, once", rule: "{status: 503}", seen: [.answer(503, body: ""), normal], effects: 1),
        Case(
            why: "a status with a body as text", rule: "{status: {code: 500, body: oops}}", seen: [.answer(500, body: "oops"), normal],
            effects: 1),
        Case(
            why: "a status with a body as a mapping: sent as JSON", rule: "{status: {code: 429, body: {error: {code: rate_limited}}}}",
            seen: [.answer(429, body: #"{"error":{"code":"rate_limited"}}"#), normal], effects: 1),
        Case(
            why: "the effect took place although the status says no", rule: "{status: {code: 504, afterEffect: true}}",
            seen: [.answer(504, body: ""), normal], effects: 2),
        Case(why: "dropped before the effect", rule: "{drop: beforeEffect}", seen: [.noAnswer, normal], effects: 1),
        Case(why: "dropped after the effect", rule: "{drop: afterEffect}", seen: [.noAnswer, normal], effects: 2),
        Case(why: "broken off in the middle: the effect took place", rule: "{answer: truncated}", seen: [.noAnswer, normal], effects: 2),
        Case(
            why: "nothing can be missing from an empty answer, so none comes", rule: "{answer: truncated}", path: "/empty",
            seen: [.noAnswer, .answer(204, body: "")], effects: 2),
        Case(
            why: "not JSON, with a status of success", rule: "{answer: notJSON}",
            seen: [.answer(200, body: "<!doctype html><title>One moment, please</title>\n"), normal], effects: 2),
        Case(why: "late, and otherwise as ever", rule: "{delay: 20ms}", seen: [normal], effects: 1),
        Case(
            why: "several times", rule: "{status: 500, times: 2}", seen: [.answer(500, body: ""), .answer(500, body: ""), normal],
            effects: 1),
        Case(
            why: "always", rule: "{status: 500, times: all}",
            seen: [.answer(500, body: ""), .answer(500, body: ""), .answer(500, body: "")],
            effects: 0),
        Case(why: "the first ones pass", rule: "{status: 500, skip: 1}", seen: [normal, .answer(500, body: ""), normal], effects: 2),
        Case(why: "another method passes", rule: "{method: PUT, status: 500}", seen: [normal], effects: 1),
        Case(why: "a part of the path", rule: "{path: thi, status: 500}", seen: [.answer(500, body: "")], effects: 0),
        Case(why: "another path passes", rule: "{path: other, status: 500}", seen: [normal], effects: 1),
        Case(why: "the host is no part of the path", rule: "{path: '127.0.0.1', status: 500}", seen: [normal], effects: 1),
        Case(
            why: "a part of the query", rule: "{path: team=a, status: 500}", path: "/x?team=a", seen: [.answer(500, body: "")], effects: 0),
        Case(why: "another vendor's requests are hit", rule: "{simulator: vercel, status: 500}", seen: [normal], effects: 1),
    ]

    @Test(arguments: cases) func everyFaultIsSeenFromOutside(_ example: Case) async throws {
        let file = "apiVersion: sandbox.belay.dev/v1alpha1\nkind: Faults\nfaults:\n  - \(example.rule)\n"
        let faults = try FaultsFile(reading: Array(file.utf8), file: "faults.yaml")
        let echo = EchoSimulator()
        let sandbox = try await SandboxServer.start(simulators: [echo], faults: FaultRules(faults.faults))
        let url = try #require(sandbox.urls["echo"])
        let transport = CurlTransport()
        for seen in example.seen {
            let found: Seen
            do throws(TransportError) {
                let response = try await transport.send(HTTPRequest(example.method, url + example.path, deadline: .seconds(5)))
                found = .answer(response.status, body: seen == Self.normal ? nil : response.text)
            } catch {
                #expect(error.mayHaveTakenEffect)
                #expect(error.code == .connectionLost)
                found = .noAnswer
            }
            #expect(found == seen)
        }
        #expect(echo.count == example.effects)
        await sandbox.stop()
    }

    @Test func retryAfterAndOtherHeadersAreSent() async throws {
        let faults = try FaultsFile(
            reading: Array(
                """
                apiVersion: sandbox.belay.dev/v1alpha1
                kind: Faults
                faults:
                  - status: {code: 429, retryAfter: 3, headers: {X-RateLimit-Remaining: 0, X-Vercel-Error: ''}}
                """.utf8), file: "faults.yaml")
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()], faults: FaultRules(faults.faults))
        let response = try await CurlTransport().send(HTTPRequest(.get, try #require(sandbox.urls["echo"])))
        #expect(response.status == 429)
        #expect(response.headers["Retry-After"] == "3")
        #expect(response.headers["X-RateLimit-Remaining"] == "0")
        #expect(response.headers["X-Vercel-Error"] == "")
        await sandbox.stop()
    }

    @Test func aDelayPassesInTheSandboxsTime() async throws {
        let faults = FaultRules([Fault(.delay(.seconds(3600)))])
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()], faults: faults, speed: 36_000)
        let began = ContinuousClock.now
        _ = try await CurlTransport().send(HTTPRequest(.get, try #require(sandbox.urls["echo"]), deadline: .seconds(10)))
        #expect(ContinuousClock.now - began >= .milliseconds(100))
        await sandbox.stop()
    }

    @Test func aTruncatedWatchBreaksOffInsideItsFirstChunk() async throws {
        let echo = EchoSimulator()
        let sandbox = try await SandboxServer.start(simulators: [echo], faults: FaultRules([Fault(.truncate)]))
        async let opened = CurlTransport().stream(HTTPRequest(.get, try #require(sandbox.urls["echo"]) + "/watch"))
        let stream = try await opened
        echo.send("12345678")
        var received = ""
        await #expect(throws: TransportError.self) {
            for try await chunk in stream.chunks { received += String(decoding: chunk, as: UTF8.self) }
        }
        #expect(received == "1234")
        await sandbox.stop()
    }
}
