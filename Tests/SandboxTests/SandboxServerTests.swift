import CurlTransport
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import Testing

@Suite struct SandboxServerTests {
    @Test func aSimulatorIsReachedOverHTTP() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()])
        let url = try #require(sandbox.urls["echo"])
        let response = try await CurlTransport().send(HTTPRequest(.patch, url + "/a%20b/c?d=e", body: Array("hello".utf8)))
        #expect(response.status == 200)
        #expect(try JSON(parsing: response.body) == ["method": "PATCH", "path": ["a b", "c"], "body": "hello"])
        #expect(response.headers["Content-Type"] == "application/json; charset=utf-8")
        await sandbox.stop()
    }

    @Test func anAnswerToHEADHasNoBody() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()])
        let url = try #require(sandbox.urls["echo"])
        let transport = CurlTransport()
        let head = try await transport.send(HTTPRequest(.head, url, deadline: .seconds(5)))
        let next = try await transport.send(HTTPRequest(.get, url, deadline: .seconds(5)))
        #expect(head.status == 200 && head.body.isEmpty && head.headers["Content-Length"] != "0")
        #expect(next.status == 200 && !next.body.isEmpty)
        await sandbox.stop()
    }

    @Test func theDateIsTheSandboxsOwn() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()], clock: ManualClock(milliseconds: 86_400_000))
        let url = try #require(sandbox.urls["echo"])
        let transport = CurlTransport()
        #expect(try await transport.send(HTTPRequest(.get, url)).headers["Date"] == "Fri, 02 Jan 1970 00:00:00 GMT")
        #expect(try await transport.send(HTTPRequest(.get, url + "/dated")).headers["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT")
        await sandbox.stop()
    }

    @Test func requestsAreRecordedInTheirOrderWithoutCredentials() async throws {
        let secret = "sandbox-0123456789"
        let faults = FaultRules([Fault(path: "/b", .dropAfter)])
        let sandbox = try await SandboxServer.start(
            simulators: [EchoSimulator(), EchoSimulator(name: "other")], faults: faults, clock: ManualClock(milliseconds: 0),
            secrets: [secret])
        let (url, other) = (try #require(sandbox.urls["echo"]), try #require(sandbox.urls["other"]))
        let transport = CurlTransport()
        let credentials: HTTPHeaders = ["Authorization": "Bearer \(secret)", "Content-Type": "application/json"]
        _ = try await transport.send(
            HTTPRequest(.post, url + "/a?token=\(secret)", headers: credentials, body: Array(#"{"x":1.10,"y":"\#(secret)"}"#.utf8)))
        await #expect(throws: TransportError.self) {
            try await transport.send(HTTPRequest(.put, other + "/b", body: Array("not JSON".utf8)))
        }
        let answer = try await transport.send(HTTPRequest(.get, other + "/_sandbox/requests"))
        #expect(!answer.text.contains(secret))
        #expect(
            try JSON(parsing: answer.body) == [
                "requests": [
                    [
                        "number": 1, "time": "1970-01-01T00:00:00Z", "simulator": "echo", "method": "POST", "path": "/a?token=***",
                        "status": 200, "contentType": "application/json", "body": ["x": .number("1.10"), "y": "***"],
                    ],
                    [
                        "number": 2, "time": "1970-01-01T00:00:00Z", "simulator": "other", "method": "PUT", "path": "/b", "status": nil,
                        "fault": "drop afterEffect", "body": "not JSON",
                    ],
                ]
            ])
        let mine = try await transport.send(HTTPRequest(.get, other + "/_sandbox/requests?simulator=other"))
        #expect(try JSON(parsing: mine.body)["requests"]?.elements.compactMap { $0["number"]?.integer } == [2])

        #expect(try await transport.send(HTTPRequest(.delete, url + "/_sandbox/requests")).status == 204)
        _ = try await transport.send(HTTPRequest(.get, url + "/c"))
        #expect(sandbox.requests.map(\.number) == [3])
        await sandbox.stop()
    }

    @Test func theWorldIsReadBackOnEveryListener() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator(), EchoSimulator(name: "other")])
        let (url, other) = (try #require(sandbox.urls["echo"]), try #require(sandbox.urls["other"]))
        let transport = CurlTransport()
        _ = try await transport.send(HTTPRequest(.post, url))
        let expected: JSON = [
            "apiVersion": "sandbox.belay.dev/v1alpha1", "kind": "World", "echo": ["writes": 1], "other": ["writes": 0],
        ]
        for url in [url, other] {
            #expect(try JSON(parsing: try await transport.send(HTTPRequest(.get, url + "/_sandbox/world")).body) == expected)
        }
        await sandbox.stop()
    }

    @Test func faultsAreAddedAndTakenBackWhileItRuns() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()])
        let url = try #require(sandbox.urls["echo"])
        let transport = CurlTransport()
        func post(_ text: String) async throws -> HTTPResponse {
            try await transport.send(HTTPRequest(.post, url + "/_sandbox/faults", body: Array(text.utf8)))
        }
        let good = try await post(
            #"{"apiVersion": "sandbox.belay.dev/v1alpha1", "kind": "Faults", "faults": [{"status": 418, "times": "all"}]}"#)
        #expect(good.status == 201)
        #expect(try await transport.send(HTTPRequest(.get, url)).status == 418)
        #expect(try await transport.send(HTTPRequest(.delete, url + "/_sandbox/faults")).status == 204)
        #expect(try await transport.send(HTTPRequest(.get, url)).status == 200)

        let bad = try await post("apiVersion: sandbox.belay.dev/v1alpha1\nkind: Faults\nfaults: [{status: 418, sped: 3}]\n")
        #expect(bad.status == 400)
        #expect(
            try JSON(parsing: bad.body) == [
                "errors": ["request:3:24: faults[0]: unknown field \"sped\"; known are \(faultFields)".json]
            ])
        await sandbox.stop()
    }

    private let faultFields = "simulator, method, path, skip, times, status, drop, answer, delay"

    @Test func anUnknownSandboxPathSaysWhatThereIs() async throws {
        let sandbox = try await SandboxServer.start(simulators: [EchoSimulator()])
        let response = try await CurlTransport().send(HTTPRequest(.get, try #require(sandbox.urls["echo"]) + "/_sandbox/worlds"))
        #expect(response.status == 404)
        #expect(response.text.contains("no GET /_sandbox/worlds; there are GET and DELETE /_sandbox/requests"))
        #expect(sandbox.requests.isEmpty)
        await sandbox.stop()
    }

    @Test func aBodyAboveTheLimitIsRefused() async throws {
        let echo = EchoSimulator()
        let sandbox = try await SandboxServer.start(simulators: [echo])
        let url = try #require(sandbox.urls["echo"])
        let body = [UInt8](repeating: 0x61, count: (8 << 20) + 1)
        do throws(TransportError) {
            let response = try await CurlTransport().send(
                HTTPRequest(.post, url, body: body, deadline: .seconds(20)))
            #expect(response.status == 413)
        } catch {
            // The listener closes without having read the rest; a client that is still sending may see only that.
            #expect(error.code == .connectionLost)
        }
        #expect(echo.count == 0)
        await sandbox.stop()
    }

    @Test func chunksOfAWatchArriveOneByOne() async throws {
        let echo = EchoSimulator()
        let sandbox = try await SandboxServer.start(simulators: [echo])
        let stream = try await CurlTransport().stream(HTTPRequest(.get, try #require(sandbox.urls["echo"]) + "/watch"))
        var chunks = stream.chunks.makeAsyncIterator()
        for chunk in ["one\n", "two\n"] {
            echo.send(chunk)
            #expect(try await chunks.next() == Array(chunk.utf8))
        }
        echo.finish()
        #expect(try await chunks.next() == nil)
        await sandbox.stop()
    }

    @Test(.timeLimit(.minutes(1))) func aWatchEndsWhenItsClientGoesAway() async throws {
        let echo = EchoSimulator()
        let sandbox = try await SandboxServer.start(simulators: [echo])
        let transport = CurlTransport()
        let stream = try await transport.stream(HTTPRequest(.get, try #require(sandbox.urls["echo"]) + "/watch"))
        #expect(stream.status == 200)
        transport.shutdown()
        await echo.watchEnded()
        await sandbox.stop()
    }

    @Test(.timeLimit(.minutes(1))) func stoppingEndsWhatIsInProgressWithinASecond() async throws {
        let echo = EchoSimulator()
        let faults = FaultRules([Fault(path: "/late", .delay(.seconds(3600)))])
        let sandbox = try await SandboxServer.start(simulators: [echo, EchoSimulator(name: "other")], faults: faults)
        let url = try #require(sandbox.urls["echo"])
        let transport = CurlTransport()
        _ = try await transport.send(HTTPRequest(.get, url))
        let stream = try await transport.stream(HTTPRequest(.get, url + "/watch"))
        try await withThrowingTaskGroup { group in
            group.addTask {
                await #expect(throws: TransportError.self) {
                    try await transport.send(HTTPRequest(.get, url + "/late", deadline: .seconds(30)))
                }
            }
            while !sandbox.requests.contains(where: { $0.path == "/late" }) { await Task.yield() }
            let began = ContinuousClock.now
            await sandbox.stop()
            // A second on a quiet machine; the request itself would take thirty.
            #expect(ContinuousClock.now - began < .seconds(10))
            try await group.waitForAll()
        }
        do { for try await _ in stream.chunks {} } catch { #expect(error is TransportError) }
        await #expect(throws: TransportError.self) { try await transport.send(HTTPRequest(.get, url, deadline: .seconds(5))) }
        await sandbox.stop()
    }

    @Test func twoSandboxesDoNotShareAnything() async throws {
        let (first, second) = (EchoSimulator(), EchoSimulator())
        let one = try await SandboxServer.start(simulators: [first])
        let two = try await SandboxServer.start(simulators: [second])
        let transport = CurlTransport()
        _ = try await transport.send(HTTPRequest(.post, try #require(one.urls["echo"])))
        #expect(one.urls != two.urls)
        #expect((first.count, second.count) == (1, 0))
        #expect((one.requests.count, two.requests.count) == (1, 0))
        await one.stop()
        #expect(try await transport.send(HTTPRequest(.get, try #require(two.urls["echo"]))).status == 200)
        await two.stop()
    }
}

extension String {
    fileprivate var json: JSON { .string(self) }
}
