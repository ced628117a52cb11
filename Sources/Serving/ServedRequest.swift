public import HTTPCore

/// One request, before its body is read.
public struct ServedRequest: Sendable {
    public var method: String
    /// Without the query.
    public var path: String
    /// Without the question mark; empty where there is none.
    public var query: String
    public var headers: HTTPHeaders
    /// The address that the connection comes from, which may be a proxy's; empty where it is not known.
    public var peer: String
    /// The whole body; nil when it is larger than that many bytes.
    public var body: @Sendable (_ limit: Int) async throws -> [UInt8]?

    public init(
        _ method: String, _ path: String, query: String = "", headers: HTTPHeaders = [:], peer: String = "",
        body: @escaping @Sendable (_ limit: Int) async throws -> [UInt8]? = { _ in [] }
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.peer = peer
        self.body = body
    }

    /// True if the query names this parameter, with or without a value.
    func asks(for name: String) -> Bool {
        query.split(separator: "&").contains { $0 == name || $0.hasPrefix("\(name)=") }
    }
}

extension HTTPResponse {
    /// - Parameter text: ends in a line break.
    public static func text(_ status: Int, _ text: String, headers: HTTPHeaders = [:]) -> HTTPResponse {
        var response = HTTPResponse(status: status, headers: headers, body: Array(text.utf8))
        if response.headers["Content-Type"] == nil { response.headers["Content-Type"] = "text/plain; charset=utf-8" }
        return response
    }
}
