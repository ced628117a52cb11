import HTTPCore
import HTTPTypes
import HummingbirdCore
import NIOCore
import Simulators

/// Writes one reply to a connection.
struct ReplyWriter: Sendable {
    let channel: any Channel
    /// For the `Date` field of replies that bring none.
    let date: String
    /// A reply to HEAD has the fields of a body and no body.
    let isHead: Bool

    @concurrent func write(_ reply: Reply, to writer: consuming ResponseWriter) async throws {
        switch reply {
        case .whole(let response):
            try await writer.write(
                response: head(response.status, response.headers, length: response.body.count), body: body(response.body))
        case .last(let response):
            var headers = response.headers
            headers["Connection"] = "close"
            try await writer.write(
                response: head(response.status, headers, length: response.body.count), body: body(response.body))
            try await channel.close()
        case .stream(let status, let headers, let chunks):
            try await write(chunks, of: head(status, headers, length: nil), to: writer)
        case .cut(let reply):
            try await writeBeginning(of: reply, to: writer)
            try await channel.close()
        case .hangUp: try await channel.close()
        }
    }

    /// A chunk is on its way before the next one is asked for. Ends with the stream, with the connection, or by cancellation.
    @concurrent private func write(
        _ chunks: AsyncStream<[UInt8]>, of head: HTTPTypes.HTTPResponse, to writer: consuming ResponseWriter
    ) async throws {
        // A client that closes its side has gone away; without this the connection would stay half open until the next chunk.
        try await channel.setOption(.allowRemoteHalfClosure, value: false).get()
        // Used by one task only. It is Sendable, which its opaque type does not say.
        nonisolated(unsafe) let body = try await writer.writeHead(head)
        try await channel.whileOpen {
            var body = body
            for await chunk in chunks where !chunk.isEmpty { try await body.write(ByteBuffer(bytes: chunk)) }
            try await body.finish(nil)
        }
    }

    @concurrent private func writeBeginning(of reply: Reply, to writer: consuming ResponseWriter) async throws {
        switch reply {
        case .whole(let response), .last(let response):
            // Nothing is missing from an empty body, so nothing at all is sent.
            guard !response.body.isEmpty else { return }
            var writer = try await writer.writeHead(head(response.status, response.headers, length: response.body.count))
            try await writer.write(ByteBuffer(bytes: response.body.prefix(response.body.count / 2)))
        case .stream(let status, let headers, let chunks):
            var writer = try await writer.writeHead(head(status, headers, length: nil))
            for await chunk in chunks {
                try await writer.write(ByteBuffer(bytes: chunk.prefix(chunk.count / 2)))
                break
            }
        case .cut(let inner): try await writeBeginning(of: inner, to: writer)
        case .hangUp: break
        }
    }

    private func body(_ bytes: [UInt8]) -> ResponseBody {
        isHead || bytes.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    }

    /// - Parameter length: of the body; nil for one that is sent in chunks.
    private func head(_ status: Int, _ headers: HTTPHeaders, length: Int?) -> HTTPTypes.HTTPResponse {
        var fields = HTTPFields()
        for field in headers.fields {
            guard let name = HTTPField.Name(field.name) else { continue }
            fields.append(HTTPField(name: name, value: field.value))
        }
        if fields[.date] == nil { fields[.date] = date }
        if let length, status != 204, status != 304 { fields[.contentLength] = String(length) }
        return HTTPTypes.HTTPResponse(status: HTTPTypes.HTTPResponse.Status(code: status), headerFields: fields)
    }
}
