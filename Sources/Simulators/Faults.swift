public import HTTPCore
import Synchronization

/// What goes wrong with one request.
public struct Fault: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// An answer instead of the simulator's; the request has no effect.
        case answer(status: Int, headers: HTTPHeaders, body: String)
        /// The connection is closed before the request takes effect.
        case dropBefore
        /// The request takes effect and its answer is lost.
        case dropAfter
        /// The request takes effect and its answer breaks off in the middle.
        case truncate
        /// The request takes effect and is answered with this status and body.
        case replaceAnswer(status: Int, headers: HTTPHeaders, body: String)
        /// The answer comes late, in the sandbox's time.
        case delay(Duration)
    }

    /// The vendor's name; nil matches every one.
    public var simulator: String?
    public var method: HTTPMethod?
    /// Must occur in the request's path and query; nil matches everything.
    public var path: String?
    public var kind: Kind
    /// How many matching requests pass before the first one is hit.
    public var skip: Int
    /// How many requests are hit; nil for all.
    public var times: Int?

    public init(simulator: String? = nil, method: HTTPMethod? = nil, path: String? = nil, _ kind: Kind, skip: Int = 0, times: Int? = 1) {
        self.simulator = simulator
        self.method = method
        self.path = path
        self.kind = kind
        self.skip = skip
        self.times = times
    }
}

/// The faults still to come. Safe to use from many requests at once.
public final class FaultRules: Sendable {
    private let rules: Mutex<[Fault]>

    public init(_ rules: [Fault] = []) { self.rules = Mutex(rules) }

    public func add(_ fault: Fault) { rules.withLock { $0.append(fault) } }

    /// True if everything that was to go wrong has gone wrong.
    public var isEmpty: Bool { rules.withLock { $0.isEmpty } }

    public func removeAll() { rules.withLock { $0.removeAll() } }

    /// The first rule that hits this request; counts it down.
    public func hit(_ simulator: String, _ request: HTTPRequest) -> Fault.Kind? {
        rules.withLock { rules in
            for index in rules.indices where rules[index].matches(simulator, request) {
                if rules[index].skip > 0 {
                    rules[index].skip -= 1
                    continue
                }
                let kind = rules[index].kind
                if let times = rules[index].times {
                    rules[index].times = times - 1
                    if times <= 1 { rules.remove(at: index) }
                }
                return kind
            }
            return nil
        }
    }
}

extension Fault {
    fileprivate func matches(_ simulator: String, _ request: HTTPRequest) -> Bool {
        (self.simulator == nil || self.simulator == simulator) && (method == nil || method == request.method)
            && (path == nil || request.pathAndQuery.contains(path ?? ""))
    }
}

extension HTTPRequest {
    /// What follows scheme and host, so that no rule hits by the name or port of a host.
    fileprivate var pathAndQuery: Substring {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return url[...] }
        let authority = url[colon...].dropFirst(3)
        return authority.firstIndex(of: "/").map { authority[$0...] } ?? ""
    }
}
