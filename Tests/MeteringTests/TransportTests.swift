import HTTPCore
import Metering
import Testing

@Suite struct TransportTests {
    /// Answers as it is told.
    private struct Fixed: Transport {
        var result: Result<HTTPResponse, TransportError>
        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse { try result.get() }
        func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
            let response = try result.get()
            return HTTPStream(status: response.status, headers: response.headers, chunks: AsyncThrowingStream { $0.finish() })
        }
    }

    private static func metered(_ result: Result<HTTPResponse, TransportError>, _ metrics: MetricRegistry) -> MeteredTransport {
        MeteredTransport(Fixed(result: result), as: "vercel", in: metrics, rates: RateLimits { 0 })
    }

    @Test func answersAndFailuresAreCounted() async throws {
        let metrics = MetricRegistry()
        _ = try await Self.metered(.success(HTTPResponse(status: 429)), metrics).send(HTTPRequest(.post, "http://a/"))
        _ = try await Self.metered(.success(HTTPResponse(status: 200)), metrics).stream(HTTPRequest(.get, "http://a/"))
        let lost = TransportError(.connectionLost, "lost", mayHaveTakenEffect: true)
        await #expect(throws: lost) { try await Self.metered(.failure(lost), metrics).send(HTTPRequest(.get, "http://a/")) }
        #expect(metrics.value(of: .requests, "vercel", "POST", "429") == 1)
        #expect(metrics.value(of: .requests, "vercel", "GET", "200") == 1)
        #expect(metrics.value(of: .requests, "vercel", "GET", "connectionLost") == 1)
        #expect(metrics.value(of: .requestDuration, "vercel") == 2, "what had no answer has no time")
    }

    /// What providers told, one after the other, at 1,000,000,000 s since 1970; how many requests are left a second and a minute later.
    @Test(
        arguments: [
            (
                [["X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "499", "X-RateLimit-Reset": "1000000030"]], 499.0, nil,
                "Vercel: a time"
            ),
            ([["Ratelimit-Limit": "400", "Ratelimit-Remaining": "12", "Ratelimit-Reset": "54"]], 12, nil, "Render: what is left"),
            ([["Ratelimit-Remaining": "12", "Ratelimit-Reset": "1000000054"]], 12, nil, "Render, as its page has it"),
            (
                [["Ratelimit-Remaining": "3", "Ratelimit-Reset": "50"], ["Ratelimit-Remaining": "300", "Ratelimit-Reset": "90"]], 3, nil,
                "the emptier bucket counts"
            ),
            ([["X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "999999999"]], nil, nil, "a window that is over"),
            ([["X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "9"]], nil, nil, "not a number"), ([[:]], nil, nil, "nothing"),
            ([["Ratelimit-Remaining": "7", "Ratelimit-Reset": "3600"]], 7, 7, "an hour's window"),
        ] as [([[String: String]], Double?, Double?, String)])
    func whatIsLeftIsShownUntilItsWindowEnds(told: [[String: String]], soon: Double?, later: Double?, why: String) {
        let rates = RateLimits { 1_000_000_000 }
        let metrics = MetricRegistry()
        let now = ContinuousClock.now
        for fields in told {
            var headers = HTTPHeaders()
            for (name, value) in fields { headers.append(name, value) }
            rates.note(headers, of: .get, from: "render", at: now)
        }
        rates.write(to: metrics, at: now + .seconds(1))
        #expect(metrics.value(of: .rateRemaining, "render", "reads") == soon, "\(why)")
        rates.write(to: metrics, at: now + .seconds(60))
        #expect(metrics.value(of: .rateRemaining, "render", "reads") == later, "\(why)")
    }
}
