public import HTTPCore
public import JSONValues
public import Simulators
import Synchronization

/// A request to a vendor's API and its answer, as they were sent.
public struct RecordedExchange: Sendable, Hashable {
    public var method: HTTPMethod
    /// Path and query.
    public var target: String
    public var body: [UInt8]
    public var status: Int
    /// The answer's `Content-Type`; nil when it has none.
    public var contentType: String?
    public var answer: [UInt8]
}

/// Keeps every exchange with another simulator, bodies included. A streamed answer is passed on and not kept.
public final class RecordingSimulator: Simulator {
    private let inner: any Simulator
    private let log = Mutex<[RecordedExchange]>([])

    public init(_ inner: any Simulator) { self.inner = inner }

    public var name: String { inner.name }

    public var world: JSON { get async { await inner.world } }

    /// In the order in which they were answered.
    public var exchanges: [RecordedExchange] { log.withLock { $0 } }

    /// Method, path and status of everything that was answered: `GET /v1/services/* 200`.
    ///
    /// - Parameter isIdentifier: says of a segment of a path that it stands for one thing of many, and is written as `*`.
    public func operations(_ isIdentifier: (_ segment: Substring) -> Bool) -> Set<String> {
        Set(
            exchanges.map { exchange in
                let path = exchange.target.prefix { $0 != "?" }.split(separator: "/").map { isIdentifier($0) ? "*" : $0 }
                return "\(exchange.method.rawValue) /\(path.joined(separator: "/")) \(exchange.status)"
            })
    }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let response = await inner.answer(request)
        guard case .whole(let whole) = response else { return response }
        let exchange = RecordedExchange(
            method: request.method, target: request.target, body: request.body, status: whole.status,
            contentType: whole.headers["Content-Type"], answer: whole.body)
        log.withLock { $0.append(exchange) }
        return response
    }
}

extension HTTPRequest {
    /// What follows scheme and host.
    fileprivate var target: String {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return url }
        let authority = url[colon...].dropFirst(3)
        return authority.firstIndex(of: "/").map { String(authority[$0...]) } ?? "/"
    }
}
