import CurlTransport
import HTTPCore
import Testing

@Suite(.enabled(if: Nginx.isThere, Comment(rawValue: Nginx.why)), .timeLimit(.minutes(2)))
struct NginxTests {
    let nginx: Nginx
    let transport = CurlTransport.make()

    init() throws {
        nginx = try #require(Nginx.shared)
    }

    @Test func aThousandRequestsAtOnceAreAllAnswered() async {
        let (transport, url) = (transport, nginx.plain("/hello"))
        let bodies = await withTaskGroup { group in
            for _ in 0..<1000 { group.addTask { try? await transport.send(.make(url)).text } }
            return await group.reduce(into: [String?: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(bodies == ["hello": 1000])
    }

    @Test func connectionsAreKeptAndShared() async throws {
        var connections: Set<String> = []
        for _ in 0..<50 { connections.insert(try await transport.send(.make(nginx.plain("/connection"))).text) }
        #expect(connections.count == 1)
    }

    @Test func noMoreConnectionsThanConfigured() async {
        let (transport, url) = (CurlTransport.make(connectionsPerHost: 3), nginx.plain("/connection"))
        let connections = await withTaskGroup { group in
            for _ in 0..<200 { group.addTask { try? await transport.send(.make(url)).text } }
            return await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect((1...3).contains(connections.count) && !connections.contains(nil))
    }

    @Test func http2IsSpokenOverTLSAndOneConnectionCarriesAll() async {
        let (transport, request) = (transport, HTTPRequest.make(nginx.tls("/"), tls: nginx.trusting))
        let answers = await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { try? await transport.send(request).text } }
            return await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(answers.count == 1)
        #expect(answers.allSatisfy { $0?.hasPrefix("HTTP/2.0 ") == true })
    }

    /// libcurl 7.88 would take the connection of a stream for one that multiplexes, once the last other one is gone.
    @Test func aRequestNeverGoesOnTheConnectionOfAStream() async throws {
        let request = HTTPRequest.make(nginx.client("/"), deadline: .seconds(10), tls: nginx.showing)
        #expect(try await transport.send(request).status == 200)
        let stream = try await transport.stream(.make(nginx.client("/slow"), deadline: .seconds(60), tls: nginx.showing))
        #expect(try await transport.send(request).status == 200)
        // nginx closes a connection that has been idle for 200 ms.
        try await Task.sleep(for: .milliseconds(700))
        #expect(try await transport.send(request).status == 200)
        #expect(stream.status == 200)
    }

    /// More requests than a connection has streams, before any connection is there: where libcurl 7.88 now and then sits out a whole poll.
    /// A healthy round takes 30 ms. Told apart here is only a poll without a bound, which would never end.
    @Test func coldFanOutsOverHTTP2DoNotStall() async {
        let request = HTTPRequest.make(nginx.tls("/"), tls: nginx.trusting)
        let start = ContinuousClock.now
        for _ in 0..<20 {
            let transport = CurlTransport.make(connectionsPerHost: 1)
            let failures = await withTaskGroup { group in
                for _ in 0..<200 { group.addTask { await transport.failure(request)?.message } }
                return await group.reduce(into: [String]()) { $0 += $1.map { [$0] } ?? [] }
            }
            #expect(failures == [])
        }
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test func compressedAnswersArriveAsTheyWere() async throws {
        let response = try await transport.send(.make(nginx.plain("/large")))
        #expect(response.headers["content-encoding"] == "gzip")
        #expect(response.text == String(repeating: "belay", count: 800))
        #expect(try await transport.send(.make(nginx.plain("/encoding"))).text.contains("gzip"))
    }

    @Test func aCompressedAnswerIsBoundedByItsSizeAfterwards() async {
        #expect(await transport.failure(.make(nginx.plain("/large"), bodyLimit: 3999))?.code == .bodyTooLarge)
        #expect(await transport.failure(.make(nginx.plain("/large"), bodyLimit: 4000)) == nil)
    }

    @Test func aRedirectIsAnAnswer() async throws {
        let response = try await transport.send(.make(nginx.plain("/moved")))
        #expect(response.status == 301)
        #expect(response.headers["Location"] == nginx.plain("/hello"))
    }

    @Test func aClientCertificateFromMemoryIsShown() async throws {
        #expect(try await transport.send(.make(nginx.client("/"), tls: nginx.showing)).text == "CN=belay-client")
    }

    @Test func aConnectionIsNotSharedBetweenDifferentTLSSettings() async throws {
        // Each of these would be answered over the connection of the one before if libcurl took it.
        #expect(try await transport.send(.make(nginx.client("/"), tls: nginx.showing)).status == 200)
        #expect(try await transport.send(.make(nginx.client("/"), tls: nginx.trusting)).status == 400, "no certificate: refused by nginx")
        var strange = nginx.showing
        strange.certificateAuthorities = nginx.strangeAuthority
        #expect(await transport.failure(.make(nginx.client("/"), tls: strange))?.code == .tls, "another authority")
        var keyless = nginx.showing
        keyless.clientKey = nil
        #expect(await transport.failure(.make(nginx.client("/"), tls: keyless))?.code == .tls, "the certificate without its key")
        #expect(try await transport.send(.make(nginx.client("/"), tls: nginx.showing)).status == 200)
    }

    @Test func anUnknownAuthorityIsRefusedBeforeAnythingIsSent() async throws {
        let failure = try #require(
            await transport.failure(
                .make(.post, nginx.tls("/?token=secret"), tls: TLSSettings(certificateAuthorities: nginx.strangeAuthority))))
        #expect(failure.code == .tls)
        #expect(!failure.mayHaveTakenEffect)
        #expect(
            failure.message
                == "POST 127.0.0.1:\(nginx.tlsPort): TLS failed: SSL certificate problem: unable to get local issuer certificate; "
                + "trusted are only the authorities given for this host; are they the ones that signed its certificate?")
    }

    @Test func authoritiesThatAreNotPEMTrustNothing() async {
        for bytes in [[], Array("not a certificate".utf8)] as [[UInt8]] {
            let failure = await transport.failure(.make(nginx.tls("/"), tls: TLSSettings(certificateAuthorities: bytes)))
            #expect(failure?.code == .tls)
            #expect(failure?.mayHaveTakenEffect == false)
        }
    }

    @Test func theSystemsAuthoritiesComeFromTheEnvironment() async throws {
        // The fixture names its own authority in SSL_CERT_FILE.
        #expect(try await transport.send(.make(nginx.tls("/"))).status == 200)
    }

    @Test func anHTTPSRequestGoesThroughTheProxysTunnel() async throws {
        #expect(try await transport.send(.make("https://tunnel.test/", tls: nginx.trusting)).status == 200)
    }

    @Test func aStreamIsHTTP1OnItsOwnConnection() async throws {
        _ = try await transport.send(.make(nginx.tls("/"), tls: nginx.trusting))
        let stream = try await transport.stream(.make(nginx.tls("/"), tls: nginx.trusting))
        var text = ""
        for try await chunk in stream.chunks { text += String(decoding: chunk, as: UTF8.self) }
        #expect(stream.status == 200)
        #expect(text.hasPrefix("HTTP/1.1 "))
    }
}
