public import HTTPCore
public import JSONValues
import Simulators
import Synchronization

/// One request as it arrived, without its credentials.
public struct RecordedRequest: Sendable, Hashable {
    /// From 1, counted over all listeners.
    public var number: Int
    /// In the sandbox's time, RFC 3339.
    public var time: String
    /// The vendor's name.
    public var simulator: String
    public var method: HTTPMethod
    /// Path and query.
    public var path: String
    /// The body as JSON if it is JSON, otherwise as text; nil when there is none. A body above 64 KiB is text that ends there.
    public var body: JSON?
    public var contentType: String?
    /// The status that was sent; nil while it is answered, and when the connection was closed instead.
    public var status: Int?
    /// The fault that hit it, in the words of a fault file.
    public var fault: String?

    /// As `/_sandbox/requests` shows it.
    public var json: JSON {
        var json: JSON = [
            "number": .integer(number), "time": .string(time), "simulator": .string(simulator), "method": .string(method.rawValue),
            "path": .string(path), "status": status.map(JSON.integer) ?? .null,
        ]
        if let contentType { json["contentType"] = .string(contentType) }
        if let body { json["body"] = body }
        if let fault { json["fault"] = .string(fault) }
        return json
    }
}

/// What arrived at all listeners of a sandbox. Bounded: the newest 10,000 requests, 64 KiB of each body.
final class RequestLog: Sendable {
    private static let capacity = 10_000
    private static let bodyLimit = 64 << 10

    private struct Entries {
        var count = 0
        var requests: [RecordedRequest] = []
    }

    private let entries = Mutex(Entries())
    private let secrets: [String]

    init(secrets: [String]) { self.secrets = secrets.filter { !$0.isEmpty } }

    var requests: [RecordedRequest] { entries.withLock { Array($0.requests.suffix(Self.capacity)) } }

    /// Forgets everything; numbers go on.
    func clear() { entries.withLock { $0.requests.removeAll() } }

    /// Notes a request before it is answered.
    /// - Returns: its number, for ``finish(_:status:)``.
    func begin(_ request: HTTPRequest, path: String, simulator: String, fault: Fault.Kind?, clock: any SimulatedClock) -> Int {
        let body = readable(request.body)
        return entries.withLock { entries in
            entries.count += 1
            entries.requests.append(
                RecordedRequest(
                    number: entries.count, time: clock.rfc3339, simulator: simulator, method: request.method, path: hiding(path),
                    body: body,
                    contentType: request.headers["Content-Type"], fault: fault?.words))
            // Dropping half at a time keeps the cost of one request constant.
            if entries.requests.count >= 2 * Self.capacity { entries.requests.removeFirst(Self.capacity) }
            return entries.count
        }
    }

    func finish(_ number: Int, status: Int?) {
        entries.withLock { entries in
            guard let first = entries.requests.first?.number, entries.requests.indices.contains(number - first) else { return }
            entries.requests[number - first].status = status
        }
    }

    private func readable(_ body: [UInt8]) -> JSON? {
        guard !body.isEmpty else { return nil }
        let text = hiding(String(decoding: body.prefix(Self.bodyLimit), as: UTF8.self))
        guard body.count <= Self.bodyLimit else { return .string(text) }
        do { return try JSON(parsing: text) } catch { return .string(text) }
    }

    private func hiding(_ text: String) -> String {
        secrets.reduce(text) { text, secret in text.contains(secret) ? text.replacing(secret, with: "***") : text }
    }
}

extension Fault.Kind {
    /// In the words of a fault file.
    var words: String {
        switch self {
        case .answer(let status, _, _): "status \(status)"
        case .dropBefore: "drop beforeEffect"
        case .dropAfter: "drop afterEffect"
        case .truncate: "answer truncated"
        case .replaceAnswer(let status, _, _): "status \(status) afterEffect"
        case .delay(let duration): "delay \(duration)"
        }
    }
}
