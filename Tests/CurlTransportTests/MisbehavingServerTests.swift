import CurlTransport
import Glibc
import HTTPCore
import Testing

/// What a server can do instead of answering, chosen by the path of the request.
enum Misdeed: String, CaseIterable, Sendable {
    case drop, reset, stall, truncate, truncateChunks, garbage, brokenChunks, brokenGzip, endlessHead, oversized, oversizedChunks, gzipBomb,
        drip, none

    /// 20 MB of zeros in 20 KB.
    static let bomb = Shell.output("head -c 20000000 /dev/zero | gzip -9") ?? []

    var code: TransportError.Code? {
        switch self {
        case .drop, .reset, .truncate, .truncateChunks: .connectionLost
        case .stall, .drip: .timedOut
        case .garbage, .brokenChunks, .brokenGzip, .endlessHead: .malformedResponse
        case .oversized, .oversizedChunks, .gzipBomb: .bodyTooLarge
        case .none: nil
        }
    }

    static func serve(_ connection: Connection) {
        while let request = connection.readRequest() {
            guard let misdeed = Misdeed(rawValue: String(request.target.dropFirst())), misdeed.commit(connection) else { return }
        }
    }

    /// False if the connection is to be closed.
    private func commit(_ connection: Connection) -> Bool {
        switch self {
        case .drop: break
        case .reset: connection.resetOnClose()
        case .stall: connection.waitForClose()
        case .truncate: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        case .truncateChunks: connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        case .garbage: connection.write("\u{1}\u{2}garbage\r\n\r\n")
        case .brokenChunks: connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n")
        case .brokenGzip: connection.answer("not gzip at all, but long enough to look at", headers: "Content-Encoding: gzip\r\n")
        case .endlessHead:
            connection.write("HTTP/1.1 200 OK\r\n")
            for _ in 0..<400 { connection.write("X: \(String(repeating: "x", count: 1000))\r\n") }
        case .oversized: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")
        case .oversizedChunks:
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<20 { connection.write("10000\r\n\(String(repeating: "x", count: 65536))\r\n") }
        case .gzipBomb:
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(Self.bomb.count)\r\n\r\n")
            connection.write(Self.bomb)
        case .drip:
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow")
            connection.waitForClose()
        case .none:
            connection.answer("fine")
            return true
        }
        return false
    }
}

@Suite(.timeLimit(.minutes(2)))
struct MisbehavingServerTests {
    @Test(arguments: Misdeed.allCases)
    func everyMisdeedHasItsError(_ misdeed: Misdeed) async throws {
        let server = try SocketServer(Misdeed.serve)
        let deadline: Duration = misdeed.code == .timedOut ? .milliseconds(150) : .seconds(20)
        let failure = await CurlTransport.make().failure(.make(.post, server.url("/\(misdeed)"), deadline: deadline))
        #expect(failure?.code == misdeed.code)
        #expect(failure?.mayHaveTakenEffect ?? true, "the server has read the request")
        #expect(failure?.message.hasPrefix("POST 127.0.0.1:\(server.port): ") ?? true)
    }

    @Test func aThousandRequestsAtOnceEndEachWithItsOwnError() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make(connectionsPerHost: 128)
        let misdeeds = (0..<1000).map { Misdeed.allCases[$0 % Misdeed.allCases.count] }
        let wrong = await withTaskGroup { group in
            for misdeed in misdeeds {
                let deadline: Duration = misdeed.code == .timedOut ? .milliseconds(300) : .seconds(60)
                let request = HTTPRequest.make(server.url("/\(misdeed)"), deadline: deadline)
                group.addTask { () -> String? in
                    let failure = await transport.failure(request)
                    return failure?.code == misdeed.code ? nil : "\(misdeed): \(failure?.message ?? "answered")"
                }
            }
            return await group.reduce(into: [String]()) { $0 += $1.map { [$0] } ?? [] }
        }
        #expect(wrong == [])
    }

    @Test func aWriteIsNeverSentAgainWhenAKeptConnectionIsLost() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.answer("first")
            _ = connection.readRequest()
        }
        for method in [HTTPMethod.post, .put, .patch, .delete] {
            let transport = CurlTransport.make()
            _ = try await transport.send(.make(server.url("/first")))
            let failure = await transport.failure(.make(method, server.url("/write"), body: method == .delete ? "" : "x"))
            #expect(failure?.code == .connectionLost)
            #expect(failure?.mayHaveTakenEffect == true)
            #expect(server.received.filter { $0.hasPrefix("\(method.rawValue) ") }.count == 1)
        }
    }

    @Test func aReadIsSentAgainWhenAKeptConnectionIsLost() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.answer("first of its connection")
            _ = connection.readRequest()
        }
        let transport = CurlTransport.make()
        for _ in 0..<3 { #expect(try await transport.send(.make(server.url())).text == "first of its connection") }
        #expect(server.connections == 3)
    }

    @Test func interimAnswersAreNotTheAnswer() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n")
            connection.answer("final", status: "201 Created", headers: "X-Empty:\r\nX-Twice: 1\r\nx-twice:  2 \r\n")
        }
        let response = try await CurlTransport.make().send(.make(server.url()))
        #expect(response.status == 201)
        #expect(response.text == "final")
        #expect(response.headers["Link"] == nil)
        #expect(response.headers["x-empty"] == "")
        #expect(response.headers.fields.filter { $0.name.lowercased() == "x-twice" }.map(\.value) == ["1", "2"])
    }
}

@Suite(.timeLimit(.minutes(2)))
struct NothingSentTests {
    @Test func aRefusedConnectionTouchedNothing() async throws {
        let port = try Loopback.freePort()
        let failure = try #require(await CurlTransport.make().failure(.make(.post, "http://127.0.0.1:\(port)/?token=secret")))
        #expect(failure.code == .connect)
        #expect(!failure.mayHaveTakenEffect)
        #expect(!failure.message.contains("secret"))
    }

    @Test func aNameThatDoesNotResolveTouchedNothing() async {
        let failure = await CurlTransport.make().failure(.make(.post, "http://user:password@nowhere.invalid/?token=secret"))
        #expect(
            failure
                == TransportError(
                    .nameResolution, "POST nowhere.invalid: the name does not resolve; is it spelled right, and does DNS work here?",
                    mayHaveTakenEffect: false))
    }

    @Test func aServerWithoutTLSTouchedNothing() async throws {
        let server = try SocketServer { $0.write("HTTP/1.1 400 this is not TLS\r\n\r\n") }
        let failure = await CurlTransport.make().failure(.make(.post, server.url(scheme: "https")))
        #expect(failure?.code == .tls)
        #expect(failure?.mayHaveTakenEffect == false)
    }

    @Test func aHandshakeThatNeverEndsIsBoundedByTheConnectDeadline() async throws {
        let server = try SocketServer { $0.waitForClose() }
        let failure = await CurlTransport.make().failure(.make(.post, server.url(scheme: "https"), connectDeadline: .milliseconds(100)))
        #expect(failure?.code == .timedOut)
        #expect(failure?.mayHaveTakenEffect == false)
        #expect(failure?.message == "POST 127.0.0.1:\(server.port): no connection within 0.1 seconds")
    }

    @Test func waitingForAConnectionCountsAgainstTheDeadline() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make(connectionsPerHost: 1)
        let url = server.url("/stall")
        let first = Task { await transport.failure(.make(url)) }
        _ = await server.requests.first(1)
        let second = await transport.failure(.make(.post, server.url("/none"), deadline: .milliseconds(100)))
        #expect(second?.code == .timedOut)
        #expect(second?.mayHaveTakenEffect == false)
        first.cancel()
        #expect(await first.value?.code == .cancelled)
        #expect(server.received.count == 1)
    }

    @Test func aProxyThatRefusesTouchedNothing() async throws {
        let failure = try #require(await CurlTransport.make().failure(.make(.post, "https://refused.test/")))
        #expect(failure.code == .proxy)
        #expect(!failure.mayHaveTakenEffect)
        #expect(failure.message == "POST refused.test: the proxy answered 403 and made no connection; does it allow this host?")
    }

    @Test(arguments: [
        ("ftp://127.0.0.1/", "another protocol"), ("file:///etc/passwd", "a file"), ("127.0.0.1/", "no scheme"), ("", "nothing"),
        ("http://", "no host"), ("http://127.0.0.1/a b", "a space"), ("http://127.0.0.1/\r\nX: y", "a line break"),
        ("http://127.0.0.1:99999999/", "no port"), ("http://127.0.0.1/\0", "a zero byte would cut it off"),
    ])
    func anAddressThatCannotBeAsked(url: String, why: String) async {
        let failure = await CurlTransport.make().failure(.make(url))
        #expect(failure?.code == .badURL, Comment(rawValue: why))
        #expect(failure?.mayHaveTakenEffect == false)
    }

    @Test(arguments: [("X", "a\r\nY: b"), ("X", "a\0"), ("X Y", "a"), ("", "a"), ("X:", "a")])
    func aHeaderThatWouldSmuggleAnother(name: String, value: String) async throws {
        let server = try SocketServer(Misdeed.serve)
        var headers = HTTPHeaders()
        headers.append(name, value)
        let failure = await CurlTransport.make().failure(.make(server.url("/none"), headers: headers))
        #expect(failure?.code == .badURL)
        #expect(server.connections == 0)
    }
}
