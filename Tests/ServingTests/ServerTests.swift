import CurlTransport
import HTTPCore
import Serving
import Testing

/// The server on a real port.
@Suite(.timeLimit(.minutes(2))) struct ServerTests {
    private static func endpoints(alive: [HealthCheck] = [], ready: [HealthCheck] = []) throws -> Endpoints {
        Endpoints(
            alive: { alive }, ready: { ready }, metrics: { ("a \($0 ?? "")\n", "text/x") },
            webhooks: WebhookEndpoint(
                secrets: try WebhookSecrets([WebhookSecrets.variable: WebhookTests.secret]), secondsSince1970: { WebhookTests.now },
                act: { _ in .accepted("") }, note: { _ in }))
    }

    /// Runs `body` with the URL and the port of a server.
    private static func with<Value: Sendable>(
        _ endpoints: Endpoints? = nil, _ body: @escaping @Sendable (String, Int) async throws -> Value
    ) async throws -> Value {
        let endpoints = try endpoints ?? Self.endpoints()
        let address = try #require(ListenAddress("127.0.0.1:0"))
        let result: Result<Value, any Error> = try await HTTPServer { await endpoints.answer($0) }.serve(on: address) { bound in
            let port = bound.split(separator: ":").last.flatMap { Int($0) } ?? 0
            do { return .success(try await body("http://\(bound)", port)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private static let good = HealthCheck("loop")
    private static let bad = HealthCheck("specs", problem: "they have not been read yet")

    @Test(arguments: [
        ("GET", "/healthz", 200, "ok\n"), ("HEAD", "/healthz", 200, ""), ("POST", "/healthz", 405, "use GET, HEAD\n"),
        ("GET", "/healthz?verbose", 200, "[+]loop ok\nhealthz check passed\n"),
        ("GET", "/readyz", 503, "[+]loop ok\n[-]specs: they have not been read yet\nreadyz check failed\n"),
        ("GET", "/metrics", 200, "a */*\n"), ("DELETE", "/metrics", 405, "use GET, HEAD\n"),
        ("GET", "/webhooks/github", 405, "use POST\n"), ("POST", "/webhooks/unknown", 404, "not found; there are:"),
        ("GET", "/", 404, "not found; there are: /healthz"), ("GET", "/healthz/", 404, "not found"), ("GET", "//healthz", 404, "not found"),
    ]) func everyPathAnswersAsItShould(method: String, path: String, status: Int, text: String) async throws {
        try await Self.with(Self.endpoints(alive: [Self.good], ready: [Self.good, Self.bad])) { url, _ in
            let method = try #require(HTTPMethod(rawValue: method))
            let response = try await CurlTransport().send(HTTPRequest(method, url + path, headers: ["Accept": "*/*"]))
            #expect(response.status == status && response.text.hasPrefix(text), "\(path): \(response.status) \(response.text)")
            if status == 405 { #expect(response.headers["Allow"] != nil) }
        }
    }

    @Test func aPortThatIsTakenIsToldWithItsNumber() async throws {
        try await Self.with { _, port in
            let address = try #require(ListenAddress("127.0.0.1:\(port)"))
            let error = await #expect(throws: ServingError.self) {
                try await HTTPServer { _ in HTTPResponse(status: 200) }.serve(on: address) { _ in }
            }
            #expect(error?.code == .addressTaken && error?.message.contains("127.0.0.1:\(port)") ?? false, "\(error?.message ?? "")")
        }
    }

    @Test func everyAddressIsListenedOnAndThePortIsFreeAfterwards() async throws {
        let any = try #require(ListenAddress(":0"))
        let server = HTTPServer { _ in .text(200, "here\n") }
        let port = try await server.serve(on: any) { bound in bound.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
        let again = try #require(ListenAddress("127.0.0.1:\(port)"))
        let status = try await server.serve(on: again) { bound in
            do { return try await CurlTransport().send(HTTPRequest(.get, "http://\(bound)/")).status } catch { return 0 }
        }
        #expect(status == 200)
    }

    @Test func aThousandRequestsAtOnceAreAllAnswered() async throws {
        try await Self.with { url, _ in
            let transport = CurlTransport()
            let statuses = await withTaskGroup(of: Int.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let path = number.isMultiple(of: 2) ? "/healthz" : "/webhooks/github"
                        do {
                            return try await transport.send(
                                HTTPRequest(
                                    number.isMultiple(of: 2) ? .get : .post, url + path,
                                    body: number.isMultiple(of: 2) ? [] : Array("{}".utf8))
                            ).status
                        } catch { return 0 }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 } as [Int: Int]
            }
            #expect(statuses[200] == 500 && (statuses[401] ?? 0) + (statuses[429] ?? 0) == 500, "\(statuses)")
        }
    }

    @Test(arguments: [
        ("\u{16}\u{3}\u{1}garbage\r\n\r\n", "HTTP/1.1 400", "what is no HTTP"), ("GET /healthz\r\n\r\n", "HTTP/1.1 400", "half of HTTP"),
        ("GET /healthz HTTP/1.1\r\nA: \(String(repeating: "x", count: 40_000))\r\n\r\n", "HTTP/1.1 400", "a huge field"),
        (
            "GET /healthz HTTP/1.1\r\n" + (0..<200).map { "A\($0): b\r\n" }.joined() + "\r\n", "HTTP/1.1 400", "many fields"
        ),
        (
            "POST /webhooks/github HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413",
            "a length beyond the limit, refused before a byte of it comes"
        ),
        ("POST /webhooks/github HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 400", "no length"),
        ("POST /webhooks/github HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 401", "a proper one"),
    ]) func whatNoProperClientSendsIsRefused(request: String, answer: String, why: String) async throws {
        try await Self.with { url, port in
            let client = try #require(RawClient(port: port))
            defer { client.end() }
            client.send(request)
            let text = client.rest()
            #expect(text.hasPrefix(answer), "\(why): \(text)")
            #expect(try await CurlTransport().send(HTTPRequest(.get, url + "/healthz")).status == 200, "and others are served: \(why)")
        }
    }

    @Test func halfOpenConnectionsHoldNobodyUpNorTheEnd() async throws {
        let start = ContinuousClock.now
        try await Self.with { url, port in
            let clients = try (0..<60).map { _ in try #require(RawClient(port: port)) }
            for (number, client) in clients.enumerated() where number < 20 {
                client.send("POST /webhooks/github HTTP/1.1\r\nContent-Length: \(number < 10 ? 10 : 1_000_000)\r\n\r\nhalf")
            }
            let transport = CurlTransport()
            #expect(try await transport.send(HTTPRequest(.get, url + "/healthz")).status == 200)
            func post(_ length: Int) async throws -> Int {
                try await transport.send(HTTPRequest(.post, url + "/webhooks/github", body: [UInt8](repeating: 0x20, count: length))).status
            }
            #expect(try await post(10) == 401)
            #expect(try await post(100_000) == 429, "large bodies that do not come hold the places of large ones alone")
        }
        #expect(ContinuousClock.now - start < .seconds(10), "what is half open is closed when the server ends")
    }
}
