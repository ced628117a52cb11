import FoundationEssentials
public import HTTPCore
import Model
import Synchronization

/// Sends at most so many requests of one account at a time, and no reads while its provider asks for a pause; over all transports that it limits.
///
/// An account is a host and the credentials that are shown to it; a request that shows none belongs to no account and is not held back. Those
/// who wait are served in turn, one request of each ``party`` after the other.
///
/// When a read is answered with 429, or with 503 and `Retry-After`, the account pauses for everybody, not only for who was told. A short pause
/// is waited for; during a longer one reads are answered as the provider answered, with what is left of it, and are not sent. Vendors
/// count by endpoint: the pause holds for paths that begin with the same two segments (`/v13/deployments`). What a write is told pauses
/// nobody else: such limits are those of one thing (ten deploys a minute of a service), and a write that is refused did nothing.
///
/// Of a stream only the beginning counts: a watch may last for hours.
public final class AccountLimits: Sendable {
    /// Whose requests are made in this task: a system's.
    @TaskLocal public static var party = ""

    private let limit: Int
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration
    private let lanes = Mutex<[Account: AccountLane]>([:])

    /// How many requests are under way at once where nobody says otherwise: as many as one HTTP/2 connection usually carries.
    public static let usual = 128

    /// The longest pause that is waited for instead of being told.
    public static let patience = Duration.seconds(5)

    /// - Parameter limit: how many requests of one account are under way at once; at least 1.
    public convenience init(_ limit: Int) { self.init(limit, clock: ContinuousClock()) }

    init(_ limit: Int, clock: some Clock<Duration>) {
        self.limit = max(1, limit)
        self.clock = clock
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// The transport, with its requests limited. It is given none that has to wait: what counts requests belongs inside.
    public func limiting(_ transport: any Transport) -> any Transport { LimitedTransport(transport: transport, limits: self) }

    /// The environment, with its requests limited.
    public func limiting(_ environment: ProviderEnvironment) -> ProviderEnvironment {
        var environment = environment
        environment.transport = limiting(environment.transport)
        return environment
    }

    /// The provider, with its requests limited.
    public func limiting(_ registration: ProviderRegistration) -> ProviderRegistration {
        var limited = registration
        limited.connect = { registration.connect(self.limiting($0)) }
        return limited
    }

    // MARK: - Waiting

    /// Returns when the request may be sent: nil then; otherwise the pause that is left, and it may not be sent.
    fileprivate func enter(_ account: Account, _ request: HTTPRequest) async throws(TransportError) -> Duration? {
        let start = elapsed()
        while true {
            let now = elapsed()
            let answer = lanes.withLock { lanes in
                lanes[account, default: AccountLane(limit: limit)].enter(Self.party, Account.endpoint(request), at: now)
            }
            switch answer {
            case .enter: return nil
            case .pause(let left) where left > Self.patience: return left
            case .pause(let left):
                do { try await clock.sleep(for: left) } catch { throw .cancelled(request) }
            case .wait(let ticket):
                switch await outcome(of: ticket, within: request.deadline - (now - start)) {
                case .admitted: return nil
                case .again: continue
                case .cancelled: throw .cancelled(request)
                case .late:
                    throw TransportError(
                        .timedOut,
                        "\(request.method.rawValue) \(Account.host(request)): \(limit) requests of this account are under way already, "
                            + "and there was no turn for another within \(request.deadline)", mayHaveTakenEffect: false)
                }
            }
        }
    }

    private func outcome(of ticket: AccountTicket, within deadline: Duration) async -> AccountTicket.Outcome {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [clock] in
                do { try await clock.sleep(for: max(.zero, deadline)) } catch { return }
                ticket.settle(.late)
            }
            let outcome = await withTaskCancellationHandler {
                await ticket.outcome
            } onCancel: {
                ticket.settle(.cancelled)
            }
            group.cancelAll()
            return outcome
        }
    }

    fileprivate func leave(_ account: Account, _ request: HTTPRequest, told: (status: Int, headers: HTTPHeaders)?) {
        var pause: Duration?
        if request.method.isSafe, let told, told.status == 429 || told.status == 503 { pause = APIError.retryAfter(told.headers) }
        let now = elapsed()
        lanes.withLock { lanes in
            lanes[account]?.leave(Account.endpoint(request), after: pause, at: now)
            // Tokens change; what nobody uses is not kept.
            if lanes[account]?.isUnused(at: now) ?? false { lanes[account] = nil }
        }
    }
}

/// One transport under limits.
private struct LimitedTransport: Transport {
    let transport: any Transport
    let limits: AccountLimits

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard let account = Account(request) else { return try await transport.send(request) }
        if let pause = try await limits.enter(account, request) { return Self.paused(pause) }
        do throws(TransportError) {
            let response = try await transport.send(request)
            limits.leave(account, request, told: (response.status, response.headers))
            return response
        } catch {
            limits.leave(account, request, told: nil)
            throw error
        }
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        guard let account = Account(request) else { return try await transport.stream(request) }
        if let pause = try await limits.enter(account, request) {
            let response = Self.paused(pause)
            let chunks = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield(response.body)
                continuation.finish()
            }
            return HTTPStream(status: response.status, headers: response.headers, chunks: chunks)
        }
        do throws(TransportError) {
            let stream = try await transport.stream(request)
            limits.leave(account, request, told: (stream.status, stream.headers))
            return stream
        } catch {
            limits.leave(account, request, told: nil)
            throw error
        }
    }

    private static func paused(_ left: Duration) -> HTTPResponse {
        let seconds = left.components.seconds + (left.components.attoseconds > 0 ? 1 : 0)
        let text = "this account was told to wait by an earlier answer, and nothing was sent"
        return HTTPResponse(
            status: 429, headers: ["Retry-After": String(seconds), "Content-Type": "application/json"],
            body: Array("{\"error\":{\"code\":\"paused\",\"message\":\"\(text)\"}}".utf8))
    }
}

/// A host with what is shown to it.
private struct Account: Hashable, Sendable {
    var host: String
    var credentials: Secret
    var key: [UInt8]?

    /// Nil for a request that shows nothing.
    init?(_ request: HTTPRequest) {
        guard request.headers["Authorization"] != nil || request.tls?.clientKey != nil else { return nil }
        host = Self.host(request)
        credentials = Secret(request.headers["Authorization"] ?? "")
        key = request.tls?.clientKey
    }

    static func host(_ request: HTTPRequest) -> String {
        request.url.split(separator: "/", maxSplits: 3).dropFirst().first.map(String.init) ?? ""
    }

    /// What a limit is counted for; empty for a write.
    static func endpoint(_ request: HTTPRequest) -> String {
        guard request.method.isSafe else { return "" }
        let path = request.url.prefix { $0 != "?" }
        return path.split(separator: "/", maxSplits: 4).dropFirst(2).prefix(2).joined(separator: "/")
    }
}

extension TransportError {
    fileprivate static func cancelled(_ request: HTTPRequest) -> TransportError {
        TransportError(
            .cancelled, "\(request.method.rawValue) \(Account.host(request)): cancelled before it was sent", mayHaveTakenEffect: false)
    }
}
