import HTTPCore
import Model
import ProviderKit
import Synchronization

/// What the answers of this process told: a cache, without which one more request is refused.
final class RenderMemory: Sendable {
    private struct State {
        /// By service: deploys whose build Render keeps no longer, and until when that is believed, by Belay's own clock.
        var gone: [String: [String: Timestamp]] = [:]
        /// By service: until when nothing may be written to it, by Belay's own clock.
        var spent: [String: Timestamp] = [:]
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Timestamp

    init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    /// A refusal need not have meant what it was taken for: it is tried again some day.
    private static let goneIsBelieved = Duration.seconds(1800)

    func gone(of service: String) -> Set<String> {
        let now = now()
        return state.withLock { Set(($0.gone[service] ?? [:]).filter { $0.value > now }.keys) }
    }

    func addGone(_ deploy: String, of service: String) {
        let now = now()
        state.withLock { state in
            var gone = (state.gone[service] ?? [:]).filter { $0.value > now }
            gone[deploy] = now + Self.goneIsBelieved
            state.gone[service] = gone
        }
    }

    /// How long until the service's ten writes a minute are there again; nil when one is left, or nothing is known.
    func wait(for service: String) -> Duration? {
        guard let until = state.withLock({ $0.spent[service] }) else { return nil }
        let left = until - now()
        return left > .zero ? left : nil
    }

    /// Reads what an answer to such a write tells of the budget.
    func note(_ headers: HTTPHeaders, of service: String) {
        let wait = headers["Ratelimit-Remaining"] == "0" ? headers.renderReset : nil
        state.withLock { $0.spent[service] = wait.map { now() + $0 } }
    }
}

extension HTTPHeaders {
    /// How long until the window of the rate limit ends. `Ratelimit-Reset` is seconds; the vendor's page says seconds since 1970, which are
    /// told apart by their size.
    fileprivate var renderReset: Duration? {
        guard let reset = self["Ratelimit-Reset"].flatMap(Int64.init), (0..<1 << 40).contains(reset) else { return nil }
        guard reset > 1_000_000 else { return .seconds(reset) }
        guard let time = self["Date"].flatMap(Timestamp.init(httpDate:)) else { return nil }
        return max(.zero, Timestamp(millisecondsSinceEpoch: reset * 1000) - time)
    }
}
