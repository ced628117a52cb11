import HTTPCore
import JSONValues
import Simulators

/// What a listener does to a connection in answer to a request.
indirect enum Reply: Sendable {
    case whole(HTTPResponse)
    /// A response whose chunks are sent as they come, until the client goes away.
    case stream(status: Int, headers: HTTPHeaders, chunks: AsyncStream<[UInt8]>)
    /// The beginning of a reply, and then the end of the connection: half of a whole body, half of a stream's first chunk.
    case cut(Reply)
    /// A whole response, and then the end of the connection: what is still to come on it is not read.
    case last(HTTPResponse)
    /// The end of the connection.
    case hangUp

    init(_ response: SimulatedResponse) {
        switch response {
        case .whole(let response): self = .whole(response)
        case .stream(let status, let headers, let chunks): self = .stream(status: status, headers: headers, chunks: chunks)
        }
    }

    static func refuse(_ status: Int, _ message: String) -> Reply {
        .last(
            HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: (["error": .string(message)] as JSON).bytes))
    }

    /// Nil when none is sent.
    var status: Int? {
        switch self {
        case .whole(let response), .last(let response): response.status
        case .stream(let status, _, _): status
        case .cut(let reply): reply.status
        case .hangUp: nil
        }
    }
}
