/// Sends requests. Redirects are answers like any other and are not followed; TLS is always verified.
public protocol Transport: Sendable {
    /// Sends once, never again by itself. Cancelling the task ends the exchange with ``TransportError/Code/cancelled``.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse

    /// Sends once and returns as soon as the head is there, for responses without an end in sight (a watch).
    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream
}

/// Why there is no response.
public struct TransportError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, CaseIterable {
        case badURL, nameResolution, connect, tls, proxy
        case timedOut, connectionLost, bodyTooLarge, malformedResponse
        case cancelled, engineStopped
    }

    public var code: Code
    /// Names the host and what happened; holds no header, no body and no query.
    public var message: String
    /// False only when it is certain that the server never saw the request: a write may then be sent again.
    public var mayHaveTakenEffect: Bool

    public init(_ code: Code, _ message: String, mayHaveTakenEffect: Bool) {
        self.code = code
        self.message = message
        self.mayHaveTakenEffect = mayHaveTakenEffect
    }
}

extension TransportError: CustomStringConvertible {
    public var description: String { message }
}
