/// A whole response: the body is complete and decompressed.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// True for 200 to 299.
    public var isSuccess: Bool { (200...299).contains(status) }

    /// The body as text; invalid UTF-8 becomes the replacement character.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// A response whose body arrives piece by piece.
public struct HTTPStream: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    /// Ends when the server ends the body, throws ``TransportError`` when the connection breaks.
    /// Ending the iteration early (or cancelling its task) closes the connection.
    public var chunks: AsyncThrowingStream<[UInt8], any Error>

    public init(status: Int, headers: HTTPHeaders, chunks: AsyncThrowingStream<[UInt8], any Error>) {
        self.status = status
        self.headers = headers
        self.chunks = chunks
    }
}
