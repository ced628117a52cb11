/// Something that stands in the way, told to machines by ``reason`` and to people by ``message`` and ``next``. Holds no secret.
public struct Problem: Error, Sendable, Hashable, Codable {
    /// CamelCase, stable, for conditions and JSON: `ImagePullBackOff`, `TokenMissing`.
    public var reason: String
    /// What failed, on what, in one sentence: `vercel/web: 403 while reading deployments`.
    public var message: String
    /// What the reader can do about it; nil when waiting is all there is.
    public var next: String?
    /// How long to wait before trying again, when somebody told us.
    public var retryAfter: Duration?

    public init(_ reason: String, _ message: String, next: String? = nil, retryAfter: Duration? = nil) {
        self.reason = reason
        self.message = message
        self.next = next
        self.retryAfter = retryAfter
    }
}

extension Problem: CustomStringConvertible {
    public var description: String { next.map { "\(message); \($0)" } ?? message }
}
