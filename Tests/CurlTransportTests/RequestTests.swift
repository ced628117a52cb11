import HTTPCore
import Testing

@testable import CurlTransport

/// A server that answers with the request that it read.
private func mirror() throws -> SocketServer {
    try SocketServer { connection in
        while let request = connection.readRequest() {
            guard request.head.hasPrefix("HEAD") else {
                connection.answer(request.head + "\r\n\r\n" + String(decoding: request.body, as: UTF8.self))
                continue
            }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RequestTests {
    @Test func everyMethodGoesOutAsItIsWhateverTheHandleDidBefore() async throws {
        let server = try mirror()
        let transport = CurlTransport.make()
        let (post, patch) = ("POST / HTTP/1.1", "PATCH / HTTP/1.1")
        let cases: [(HTTPMethod, String, expected: String, length: String?)] = [
            (.post, "body", post, "4"), (.get, "", "GET / HTTP/1.1", nil), (.head, "", "HEAD / HTTP/1.1", nil), (.post, "", post, "0"),
            (.delete, "", "DELETE / HTTP/1.1", nil), (.patch, "ab", patch, "2"), (.head, "", "HEAD / HTTP/1.1", nil),
            (.put, "abc", "PUT / HTTP/1.1", "3"), (.delete, "d", "DELETE / HTTP/1.1", "1"), (.get, "", "GET / HTTP/1.1", nil),
            (.get, "query", "GET / HTTP/1.1", "5"), (.put, "", "PUT / HTTP/1.1", "0"), (.get, "", "GET / HTTP/1.1", nil),
        ]
        for (method, body, expected, length) in cases {
            let response = try await transport.send(.make(method, server.url(), body: body))
            let lines = try #require(server.received.last).split(separator: "\r\n")
            #expect(lines.first.map(String.init) == expected)
            #expect(lines.first { $0.hasPrefix("Content-Length: ") }.map { String($0.dropFirst(16)) } == length)
            #expect(!lines.contains { $0.hasPrefix("Content-Type") || $0.hasPrefix("Expect") || $0.hasPrefix("Transfer-Encoding") })
            if method == .head { #expect(response.body == []) } else { #expect(response.text.hasSuffix("\r\n\r\n" + body)) }
        }
        #expect(server.connections == 1)
    }

    @Test func headersGoOutAsGiven() async throws {
        let server = try mirror()
        let headers: HTTPHeaders = ["Accept": "application/json", "X-Empty": "", "User-Agent": "own", "Content-Type": "a/b"]
        let lines = try await CurlTransport.make().send(.make(.post, server.url(), headers: headers, body: "{}")).text.split(
            separator: "\r\n")
        for expected in ["Accept: application/json", "X-Empty:", "User-Agent: own", "Content-Type: a/b"] {
            #expect(lines.contains { $0 == expected })
        }
    }

    @Test func theConfiguredAgentIsNamed() async throws {
        let server = try mirror()
        #expect(try await CurlTransport.make().send(.make(server.url())).text.contains("User-Agent: belay-tests\r\n"))
    }

    @Test func aLargeBodyArrivesWhole() async throws {
        let server = try mirror()
        let body = String(repeating: "0123456789abcdef", count: 200_000)
        let response = try await CurlTransport.make().send(.make(.post, server.url(), body: body, bodyLimit: 8 << 20))
        #expect(response.text.hasSuffix(body))
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(1 << 40)])
    func aDeadlineMayBeAsFarAwayAsYouLike(deadline: Duration) async throws {
        let server = try mirror()
        #expect(try await CurlTransport.make().send(.make(server.url(), deadline: deadline, connectDeadline: deadline)).status == 200)
    }

    @Test(arguments: [Duration.zero, .seconds(-1), .seconds(Int64.min)])
    func aDeadlineThatIsOverIsATimeout(deadline: Duration) async throws {
        let server = try SocketServer { $0.waitForClose() }
        #expect(await CurlTransport.make().failure(.make(server.url(), deadline: deadline, connectDeadline: deadline))?.code == .timedOut)
    }

    @Test func theProxyOfTheEnvironmentIsAsked() async throws {
        let response = try await CurlTransport.make().send(.make("http://proxied.test/path"))
        #expect(response.text == "through the proxy: http://proxied.test/path")
    }

    @Test func hostsInNoProxyAreAskedDirectly() async throws {
        let server = try mirror()
        #expect(try await CurlTransport.make().send(.make(server.url("/path"))).text.hasPrefix("GET /path "))
        #expect(Surroundings.proxy?.received.contains { $0.contains("127.0.0.1:\(server.port)") } == false)
    }
}

struct AuthoritiesTests {
    typealias Case = (named: Authorities, built: Authorities, hashed: [String], files: [String], expected: Authorities, why: String)

    @Test(
        arguments: [
            (.init(file: "/mine"), .init(file: "/built"), ["/etc/ssl/certs"], ["/built"], .init(file: "/mine"), "SSL_CERT_FILE wins"),
            (.init(directory: "/mine"), .init(file: "/b"), ["/etc/ssl/certs"], [], .init(directory: "/mine"), "SSL_CERT_DIR wins"),
            (.init(), .init(file: "/b", directory: "/d"), ["/d"], ["/b"], .init(directory: "/d"), "hashed directory: no bundle beside it"),
            (
                .init(), .init(file: "/b", directory: "/d"), [], ["/b"], .init(file: "/b"),
                "directory not hashed: bundle without the directory"
            ),
            (.init(), .init(), ["/etc/pki/tls/certs"], [], .init(directory: "/etc/pki/tls/certs"), "libcurl built without a default"),
            (.init(), .init(file: "/gone"), [], ["/etc/ssl/cert.pem"], .init(file: "/etc/ssl/cert.pem"), "the built-in bundle is not here"),
            (.init(), .init(file: "/gone"), [], [], .init(file: "/gone"), "nothing anywhere: libcurl says which file is missing"),
        ] as [Case])
    func choice(_ example: Case) {
        let choice = Authorities.choose(
            named: example.named, built: example.built, isHashedDirectory: example.hashed.contains, isFile: example.files.contains)
        #expect(choice == example.expected, Comment(rawValue: example.why))
    }

    @Test(arguments: [
        ("3513523f.0", true), ("3513523f.12", true), ("ca-certificates.crt", false), ("3513523F.0", false), ("3513523f.", false),
    ])
    func hashedName(name: String, isHashed: Bool) {
        #expect(Authorities.isHashedName(Array(name.utf8)) == isHashed)
    }
}
