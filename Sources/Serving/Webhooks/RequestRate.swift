import Synchronization

/// How many webhooks are taken: of each sender at each address, and altogether.
final class RequestRate: Sendable {
    struct Limit: Sendable {
        /// So many at once.
        var burst: Double
        /// And so many a second after that.
        var perSecond: Double
    }

    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    private let each: Limit
    private let all: Limit
    private let buckets = Mutex<[String: Bucket]>([:])

    /// How many addresses are told apart; when there are more, those that used nothing lately are forgotten.
    private static let most = 1000

    init(each: Limit = Limit(burst: 50, perSecond: 10), all: Limit = Limit(burst: 100, perSecond: 20)) {
        self.each = each
        self.all = all
    }

    /// Nil when one more may come, else after how long it may.
    func pause(for key: String, at now: ContinuousClock.Instant = .now) -> Duration? {
        buckets.withLock { buckets in
            if buckets.count > Self.most { buckets = buckets.filter { now - $0.value.at < .seconds(10) } }
            // Still too many: then they share one.
            let key = buckets[key] != nil || buckets.count <= Self.most ? key : "others"
            var (one, whole) = (Self.filled(buckets[key], each, now), Self.filled(buckets[""], all, now))
            let missing = max((1 - one.tokens) / each.perSecond, (1 - whole.tokens) / all.perSecond)
            if missing <= 0 {
                one.tokens -= 1
                whole.tokens -= 1
            }
            (buckets[key], buckets[""]) = (one, whole)
            return missing > 0 ? .seconds(missing) : nil
        }
    }

    private static func filled(_ bucket: Bucket?, _ limit: Limit, _ now: ContinuousClock.Instant) -> Bucket {
        guard let bucket else { return Bucket(tokens: limit.burst, at: now) }
        let (seconds, fraction) = (now - bucket.at).components
        let passed = Double(seconds) + Double(fraction) / 1e18
        return Bucket(tokens: min(limit.burst, bucket.tokens + passed * limit.perSecond), at: now)
    }
}
