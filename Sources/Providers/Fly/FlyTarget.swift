public import Model

/// A process group of an app on Fly.io, and how its machines are updated.
public struct FlyTarget: Target, Hashable {
    public static let provider = "fly"

    public enum Strategy: String, Sendable, Codable, CaseIterable {
        /// The first machine alone, then some at a time, each healthy before the next begins.
        case rolling
        /// All at once.
        case immediate
    }

    public var app: String
    /// Nil: the app's only one.
    public var processGroup: String?
    public var strategy: Strategy
    /// How many machines may be updated at a time: a count, or a share of all such as `33%`.
    public var maxUnavailable: String

    public init(app: String, processGroup: String? = nil, strategy: Strategy = .rolling, maxUnavailable: String = "33%") {
        self.app = app
        self.processGroup = processGroup
        self.strategy = strategy
        self.maxUnavailable = maxUnavailable
    }

    public var identity: String { processGroup.map { "\(app)/\($0)" } ?? app }

    /// How many of so many machines are updated at a time; at least one.
    func batch(of machines: Int) -> Int {
        guard maxUnavailable.hasSuffix("%"), let percent = Int(maxUnavailable.dropLast()) else {
            return max(1, Int(maxUnavailable) ?? 1)
        }
        return max(1, (min(max(0, machines), 100_000) * min(max(0, percent), 100) + 99) / 100)
    }
}
