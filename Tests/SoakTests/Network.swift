import HTTPCore
import Simulators
import Synchronization
import TestDoubles
import TestPrograms

/// What lies between the loops and the vendors: it takes time, it fails as the weather is, and it sees what took effect.
final class Network: Sendable {
    enum Weather: Sendable {
        case fair
        /// Nobody listens.
        case refused
        case throttled(retryAfter: Int)
        case broken
        case unavailable
        /// Requests are read and never answered.
        case silent
        case slow
    }

    /// What befalls one write.
    enum Accident: Sendable, CaseIterable {
        case droppedBefore, droppedAfter, broken, brokenAfter, throttled, oddAfter
    }

    private struct State {
        var weather: [String: Weather] = [:]
        var accidents: [String: [Accident]] = [:]
        var requests = 0
        var writes = 0
    }

    let vendors: Vendors
    let ledger: Ledger
    private let time: VirtualTime
    private let dice: Dice
    private let story: Story
    private let state = Mutex(State())

    init(_ vendors: Vendors, _ time: VirtualTime, _ dice: Dice, _ story: Story) {
        self.vendors = vendors
        self.time = time
        self.dice = dice
        self.story = story
        ledger = Ledger(vendors)
    }

    var requests: Int { state.withLock { $0.requests } }
    /// Requests that may change something, whatever became of them.
    var writes: Int { state.withLock { $0.writes } }

    func set(_ weather: Weather, at vendor: String) { state.withLock { $0.weather[vendor] = weather } }

    func befall(_ vendor: String, _ accident: Accident) { state.withLock { $0.accidents[vendor, default: []].append(accident) } }

    func clear() {
        state.withLock { state in
            state.weather = [:]
            state.accidents = [:]
        }
    }

    /// - Parameter life: whose request it is: it may end at a write.
    func send(_ request: HTTPRequest, by life: Life) async throws(TransportError) -> HTTPResponse {
        guard !life.hasEnded else { throw Life.transportError }
        guard let vendor = Vendors.addresses.first(where: { request.url.hasPrefix($0.value) })?.key else {
            throw TransportError(.nameResolution, "nobody answers \(request.url)", mayHaveTakenEffect: false)
        }
        let isWrite = request.mayChangeSomething
        if isWrite, life.reach(.writeBefore) { throw Life.transportError }
        let weather = state.withLock { state in
            state.requests += 1
            if isWrite { state.writes += 1 }
            return state.weather[vendor] ?? .fair
        }
        let json: HTTPHeaders = ["Content-Type": "application/json"]
        try await pass(latency(weather), isSent: false)
        guard !life.hasEnded else { throw Life.transportError }
        switch weather {
        case .fair, .slow: break
        case .refused: throw TransportError(.connect, "\(vendor): connection refused", mayHaveTakenEffect: false)
        case .throttled(let seconds):
            return HTTPResponse(
                status: 429, headers: ["Content-Type": "application/json", "Retry-After": "\(seconds)"],
                body: Array(#"{"message": "slow down"}"#.utf8))
        case .broken: return HTTPResponse(status: 500, headers: json, body: Array(#"{"message": "internal"}"#.utf8))
        case .unavailable:
            return HTTPResponse(status: 503, headers: ["Content-Type": "text/html"], body: Array("<html>Bad gateway</html>".utf8))
        case .silent:
            try await pass(request.deadline, isSent: true)
            throw TransportError(.timedOut, "\(vendor): no answer within \(request.deadline)", mayHaveTakenEffect: true)
        }
        let accident = isWrite ? takeAccident(vendor) : nil
        let lost = TransportError(.connectionLost, "\(vendor): the connection was closed before an answer", mayHaveTakenEffect: true)
        switch accident {
        case .droppedBefore: throw lost
        case .broken: return HTTPResponse(status: 500, headers: json, body: Array(#"{"message": "internal"}"#.utf8))
        case .throttled:
            return HTTPResponse(
                status: 429, headers: ["Content-Type": "application/json", "Retry-After": "7"], body: Array(#"{"message": "slow"}"#.utf8))
        case .droppedAfter, .brokenAfter, .oddAfter, nil: break
        }
        let answer = await vendors[vendor].answer(request)
        if isWrite {
            for effect in await ledger.look(at: vendor, SoakClock(time: time).milliseconds) {
                story.tell("\(life.name) \(effect)\(accident.map { " (\($0))" } ?? "")")
            }
            if life.reach(.writeAfter) { throw Life.transportError }
        }
        try await pass(latency(weather), isSent: true)
        switch accident {
        case .droppedAfter: throw lost
        case .brokenAfter: return HTTPResponse(status: 500, headers: json, body: Array(#"{"message": "internal"}"#.utf8))
        case .oddAfter: return HTTPResponse(status: 200, headers: json, body: Array(#"{"ok": [true], "data": "yes"}"#.utf8))
        case .droppedBefore, .broken, .throttled, nil: break
        }
        guard case .whole(let response) = answer else { throw lost }
        return response
    }

    private func takeAccident(_ vendor: String) -> Accident? {
        state.withLock { state in
            guard let first = state.accidents[vendor]?.first else { return nil }
            state.accidents[vendor]?.removeFirst()
            return first
        }
    }

    /// One way.
    private func latency(_ weather: Weather) -> Duration {
        if case .slow = weather { return .milliseconds(dice.number(500...9000)) }
        return .milliseconds(dice.number(5...80))
    }

    private func pass(_ duration: Duration, isSent: Bool) async throws(TransportError) {
        do { try await time.sleep(for: duration) } catch {
            throw TransportError(.cancelled, "the request was cancelled", mayHaveTakenEffect: isSent)
        }
    }
}

extension HTTPRequest {
    /// Fly's GraphQL is only asked.
    fileprivate var mayChangeSomething: Bool { !method.isSafe && !url.hasSuffix("/graphql") }
}

/// The network as one life of a replica has it.
struct LifeTransport: Transport {
    let network: Network
    let life: Life
    let mutation: Mutation?

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let isWrite = request.mayChangeSomething
        switch mutation {
        case .sendsTwice where isWrite: _ = try await network.send(request, by: life)
        case .losesWrites where isWrite:
            return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: Array("{}".utf8))
        case .fidgets where request.method == .get && request.url.hasPrefix("http://vercel.test"):
            var write = request
            write.method = .patch
            write.body = Array("{}".utf8)
            _ = try await network.send(write, by: life)
        default: break
        }
        return try await network.send(request, by: life)
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        throw TransportError(.badURL, "nothing streams here", mayHaveTakenEffect: false)
    }
}
