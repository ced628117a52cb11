import HTTPCore
import Synchronization
import TestDoubles
import Testing

@testable import ProviderKit

/// In virtual time, so that nothing here depends on how fast the machine is.
@Suite(.timeLimit(.minutes(1))) struct AccountLimitsTests {
    /// Answers after a second, with what is asked for by number; remembers what it got, and how much of it at once.
    private final class Host: Transport {
        let time: VirtualTime
        let answer: @Sendable (Int) -> HTTPResponse
        private let state = Mutex((seen: [(Int, String)](), running: 0, most: 0))

        init(_ time: VirtualTime, _ answer: @escaping @Sendable (Int) -> HTTPResponse = { _ in HTTPResponse(status: 200) }) {
            (self.time, self.answer) = (time, answer)
        }

        /// With the second in front.
        var seen: [String] { state.withLock { $0.seen.map { "\($0.0) \($0.1)" } } }
        var most: Int { state.withLock { $0.most } }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            let number = state.withLock { state in
                state.seen.append((Int(time.now.offset.components.seconds), "\(request.method.rawValue) \(request.url.dropFirst(12))"))
                state.running += 1
                state.most = max(state.most, state.running)
                return state.seen.count
            }
            defer { state.withLock { $0.running -= 1 } }
            do { try await time.sleep(for: .seconds(1)) } catch { throw TransportError(.cancelled, "", mayHaveTakenEffect: true) }
            return answer(number)
        }

        func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
            let response = try await send(request)
            return HTTPStream(status: response.status, headers: response.headers, chunks: AsyncThrowingStream { $0.finish() })
        }
    }

    private static func request(_ path: String, _ method: HTTPMethod = .get, token: String? = "t", within deadline: Duration = .seconds(30))
        -> HTTPRequest
    {
        var request = HTTPRequest(method, "https://host\(path)", deadline: deadline)
        if let token { request.headers["Authorization"] = "Bearer \(token)" }
        return request
    }

    @Test(
        arguments: [
            (2, ["t"], 2, "so many of one account at a time"), (2, ["t", "u"], 4, "each account for itself"),
            (2, [nil], 8, "what shows no credentials is of no account"), (100, ["t"], 8, "a limit that is not reached"),
        ] as [(Int, [String?], Int, String)])
    func soManyAreUnderWayAtOnce(limit: Int, tokens: [String?], most: Int, why: String) async throws {
        let time = VirtualTime()
        let host = Host(time)
        let limits = AccountLimits(limit, clock: time).limiting(host)
        try await time.begin {
            await withTaskGroup(of: Void.self) { group in
                for token in tokens {
                    for number in 0..<8 {
                        group.addTask { _ = try? await limits.send(Self.request("/a/b/\(number)", token: token)) }
                    }
                }
            }
        }
        #expect(host.most == most && host.seen.count == 8 * tokens.count, "\(why)")
    }

    @Test func aSystemWithManyRequestsKeepsNobodyElseWaiting() async throws {
        let time = VirtualTime()
        let host = Host(time)
        let limits = AccountLimits(1, clock: time).limiting(host)
        try await time.begin {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await AccountLimits.$party.withValue("big") {
                        await withTaskGroup(of: Void.self) { group in
                            for _ in 0..<10 { group.addTask { _ = try? await limits.send(Self.request("/big")) } }
                        }
                    }
                }
                group.addTask {
                    do { try await time.sleep(for: .milliseconds(500)) } catch {}
                    await AccountLimits.$party.withValue("small") {
                        for _ in 0..<3 { _ = try? await limits.send(Self.request("/small")) }
                    }
                }
            }
        }
        #expect(host.seen.filter { $0.hasSuffix("small") } == ["1 GET /small", "3 GET /small", "5 GET /small"])
    }

    @Test(
        arguments: [
            (429, ["Retry-After": "60"], "/v1/x/2", HTTPMethod.get, "60", "everybody waits for the same endpoint"),
            (503, ["Retry-After": "60"], "/v1/x/2", .get, "60", "a host that is overloaded"),
            (429, ["Ratelimit-Remaining": "0", "Ratelimit-Reset": "59"], "/v1/x/2", .get, "59", "a limit that is spent"),
            (429, ["Retry-After": "86400"], "/v1/x/2", .get, "600", "a day is not believed"),
            (429, ["Retry-After": "60"], "/v1/y", .get, nil, "another endpoint is counted by itself"),
            (429, ["Retry-After": "60"], "/v1/x/2", .post, nil, "a write is of one thing, and asks for itself"),
            (429, [:], "/v1/x/2", .get, nil, "nothing was asked for"),
            (500, ["Retry-After": "60"], "/v1/x/2", .get, nil, "an error of its own"),
        ] as [(Int, HTTPHeaders, String, HTTPMethod, String?, String)])
    func whatOneIsToldHoldsForEverybody(
        status: Int, headers: HTTPHeaders, path: String, method: HTTPMethod, left: String?, why: String
    ) async throws {
        let time = VirtualTime()
        let host = Host(time) { $0 == 1 ? HTTPResponse(status: status, headers: headers) : HTTPResponse(status: 200) }
        let limits = AccountLimits(4, clock: time).limiting(host)
        try await time.begin {
            let told = try await limits.send(Self.request("/v1/x/1"))
            #expect(told.status == status)
            let other = try await AccountLimits.$party.withValue("other") { try await limits.send(Self.request(path, method)) }
            #expect(other.headers["Retry-After"] == left, "\(why)")
            #expect(other.status == (left == nil ? 200 : 429) && host.seen.count == (left == nil ? 2 : 1), "\(why)")
            let error = APIError(other, purpose: "reading", isWrite: false)
            if let left { #expect(error.code == .rateLimited && error.retryAfter == .seconds(Int(left) ?? 0)) }
            #expect(try await limits.send(Self.request(path, token: "u")).status == 200, "another account")
            try await time.sleep(for: .seconds(600))
            #expect(try await limits.send(Self.request(path, method)).status == 200, "it ends")
        }
    }

    @Test func aShortPauseIsWaitedForAlsoByThoseInTheQueue() async throws {
        let time = VirtualTime()
        let host = Host(time) { $0 == 1 ? HTTPResponse(status: 429, headers: ["Retry-After": "5"]) : HTTPResponse(status: 200) }
        let limits = AccountLimits(1, clock: time).limiting(host)
        try await time.begin {
            await withTaskGroup(of: Void.self) { group in
                for number in 1...3 { group.addTask { _ = try? await limits.send(Self.request("/v1/x/\(number)")) } }
            }
        }
        #expect(host.seen.map { $0.split(separator: " ")[0] } == ["0", "6", "7"])
    }

    @Test func whoWaitsTooLongIsToldThatNothingWasSent() async throws {
        let time = VirtualTime()
        let host = Host(time)
        let limits = AccountLimits(1, clock: time).limiting(host)
        try await time.begin {
            async let first = limits.send(Self.request("/a"))
            async let third = limits.send(Self.request("/c"))
            do { try await time.sleep(for: .milliseconds(1)) } catch {}
            let error = await #expect(throws: TransportError.self) {
                _ = try await limits.send(Self.request("/b", .post, within: .milliseconds(400)))
            }
            #expect(error?.code == .timedOut && error?.mayHaveTakenEffect == false, "\(error as TransportError?)")
            async let fourth = limits.send(Self.request("/d"))
            _ = try? await (first, third, fourth)
        }
        #expect(host.seen == ["0 GET /a", "1 GET /c", "2 GET /d"], "its place is passed on")
    }

    @Test func whoIsCancelledWhileWaitingLeavesNothingBehind() async throws {
        let time = VirtualTime()
        let host = Host(time)
        let limits = AccountLimits(1, clock: time).limiting(host)
        try await time.begin {
            async let first = limits.send(Self.request("/a"))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    let error = await #expect(throws: TransportError.self) { _ = try await limits.send(Self.request("/b")) }
                    #expect(error?.code == .cancelled && error?.mayHaveTakenEffect == false)
                }
                do { try await time.sleep(for: .milliseconds(100)) } catch {}
                group.cancelAll()
            }
            _ = try? await first
            _ = try? await limits.send(Self.request("/c"))
        }
        #expect(host.seen == ["0 GET /a", "1 GET /c"])
    }

    @Test func aStreamCountsUntilItHasBegun() async throws {
        let time = VirtualTime()
        let host = Host(time)
        let limits = AccountLimits(1, clock: time).limiting(host)
        try await time.begin {
            let stream = try await limits.stream(Self.request("/watch"))
            #expect(stream.status == 200)
            _ = try await limits.send(Self.request("/a"))
        }
        #expect(host.seen == ["0 GET /watch", "1 GET /a"])
    }
}

extension VirtualTime {
    /// Runs `body` in this time, in a task that counts from its first instruction on.
    fileprivate func begin(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await run {
            async let begun: Void = body()
            try await begun
        }
    }
}
