/// One HTTP request as a transport sends it.
///
/// Every request is bounded: in time by ``connectDeadline`` and ``deadline``, in memory by ``bodyLimit``.
public struct HTTPRequest: Sendable {
    public var method: HTTPMethod
    /// Absolute, `http` or `https`, already percent-encoded.
    public var url: String
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// How long a connection may take to be made, name resolution and TLS included.
    public var connectDeadline: Duration
    /// How long the whole exchange may take. For a streamed response it bounds the head; afterwards it bounds the silence between two chunks.
    public var deadline: Duration
    /// The largest response body, in bytes after decompression; a longer one fails with ``TransportError/Code/bodyTooLarge``.
    /// Does not bound a streamed response.
    public var bodyLimit: Int
    /// Nil: the system's certificate authorities and no client certificate.
    public var tls: TLSSettings?

    public init(
        _ method: HTTPMethod = .get, _ url: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        connectDeadline: Duration = .seconds(10), deadline: Duration = .seconds(30), bodyLimit: Int = 64 << 20, tls: TLSSettings? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectDeadline = connectDeadline
        self.deadline = deadline
        self.bodyLimit = bodyLimit
        self.tls = tls
    }
}

public enum HTTPMethod: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    /// True if the method promises to change nothing.
    public var isSafe: Bool { self == .get || self == .head }
}

/// Which certificates a request trusts and shows, as PEM in memory. Requests with equal settings may share a connection.
public struct TLSSettings: Sendable, Hashable {
    /// PEM; replaces the system's authorities. Nil: the system's.
    public var certificateAuthorities: [UInt8]?
    /// PEM; needs ``clientKey``.
    public var clientCertificate: [UInt8]?
    /// PEM; secret.
    public var clientKey: [UInt8]?

    public init(certificateAuthorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil, clientKey: [UInt8]? = nil) {
        self.certificateAuthorities = certificateAuthorities
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}

extension TLSSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the key itself.
    public var description: String { "TLSSettings(client certificate: \(clientCertificate == nil ? "no" : "yes"))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
