import Synchronization

/// What a process waits for before it is ready. Ready when everything that was named is there.
public final class Readiness: Sendable {
    private let problems: Mutex<[String: String?]>

    /// - Parameter waiting: what has to be there, with the words for what is missing until it is.
    public init(waiting: [String: String]) { problems = Mutex(waiting.mapValues(Optional.some)) }

    /// - Parameter problem: nil when it is there.
    public func set(_ name: String, _ problem: String?) { problems.withLock { $0[name] = .some(problem) } }

    /// By name.
    public var checks: [HealthCheck] {
        problems.withLock { problems in problems.sorted { $0.key < $1.key }.map { HealthCheck($0.key, problem: $0.value) } }
    }
}
