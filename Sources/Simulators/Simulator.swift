public import HTTPCore
public import JSONValues

/// One vendor's API, made up. Written from the vendor's contract; knows nothing of Belay's clients.
///
/// A simulator has no timers: what it answers is a function of its world and of its clock, so that a test moves time by moving the clock.
public protocol Simulator: Sendable {
    /// The vendor's name, for instance `vercel`: its key in a world file and in fault rules.
    var name: String { get }

    /// Answers one request. The path and query are in `request.url`; its scheme and host do not matter.
    func answer(_ request: HTTPRequest) async -> SimulatedResponse

    /// Everything it holds, for tests and for `/_sandbox/world`. Never a token.
    var world: JSON { get async }
}

/// A response, whole or without an end in sight.
public enum SimulatedResponse: Sendable {
    case whole(HTTPResponse)
    case stream(status: Int, headers: HTTPHeaders, chunks: AsyncStream<[UInt8]>)

    public var status: Int {
        switch self {
        case .whole(let response): response.status
        case .stream(let status, _, _): status
        }
    }

    /// A JSON response with its content type.
    public static func json(_ status: Int, _ body: JSON, headers: HTTPHeaders = [:]) -> SimulatedResponse {
        var headers = headers
        headers["Content-Type"] = "application/json; charset=utf-8"
        return .whole(HTTPResponse(status: status, headers: headers, body: body.bytes))
    }
}

/// Path and query of a request, taken apart and decoded.
public struct RequestTarget: Sendable, Hashable {
    /// Decoded segments without empty ones: `/v9/projects/a%20b` gives `["v9", "projects", "a b"]`.
    public var path: [String]
    /// Decoded pairs in their order.
    public var query: [(name: String, value: String)]

    public init(url: String) {
        var rest = Substring(url)
        if let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...]
            rest = rest.firstIndex(of: "/").map { rest[$0...] } ?? rest.firstIndex(of: "?").map { rest[$0...] } ?? ""
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = (parts.first ?? "").split(separator: "/").map { $0.percentDecoded(plusIsSpace: false) }
        query = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { item in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (pair[0].percentDecoded(plusIsSpace: true), pair.count > 1 ? pair[1].percentDecoded(plusIsSpace: true) : "")
        }
    }

    /// The first value of that name.
    public subscript(name: String) -> String? { query.first { $0.name == name }?.value }

    public static func == (left: RequestTarget, right: RequestTarget) -> Bool {
        left.path == right.path && left.query.elementsEqual(right.query, by: ==)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(path) }
}

extension Substring {
    fileprivate func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }

    fileprivate func percentDecoded(plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var iterator = utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next(), let low = iterator.next(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { continue }
                bytes.append(value)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
