import HTTPCore
import Simulators
import Testing

/// What befalls one write.
enum Trouble: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case droppedBefore = "dropped before it takes effect"
    case droppedAfter = "dropped after it took effect"
    case conflict = "409"
    case preconditionFailed = "412"
    case unprocessable = "422"
    case throttled = "429 with Retry-After"
    case throttledWithoutATime = "429 without Retry-After"
    case broken = "500"
    case brokenAfter = "500 after it took effect"
    case unavailable = "503 with HTML"
    case truncated = "an answer that breaks off"
    case oddShape = "200 of an unexpected shape"
    case oddShapeWithoutEffect = "200 of an unexpected shape, without effect"

    var testDescription: String { rawValue }

    var kind: Fault.Kind {
        let json: HTTPHeaders = ["Content-Type": "application/json"]
        let odd = #"{"ok": [true], "data": "yes"}"#
        return switch self {
        case .droppedBefore: .dropBefore
        case .droppedAfter: .dropAfter
        case .conflict: .answer(status: 409, headers: json, body: #"{"error": "conflict", "message": "conflict"}"#)
        case .preconditionFailed:
            .answer(status: 412, headers: json, body: #"{"error": "precondition failed", "message": "precondition failed"}"#)
        case .unprocessable: .answer(status: 422, headers: json, body: #"{"error": "unprocessable", "message": "unprocessable"}"#)
        case .throttled:
            .answer(status: 429, headers: ["Content-Type": "application/json", "Retry-After": "7"], body: #"{"message": "slow down"}"#)
        case .throttledWithoutATime: .answer(status: 429, headers: json, body: #"{"message": "slow down"}"#)
        case .broken: .answer(status: 500, headers: json, body: #"{"message": "internal"}"#)
        case .brokenAfter: .replaceAnswer(status: 500, headers: json, body: #"{"message": "internal"}"#)
        case .unavailable: .answer(status: 503, headers: ["Content-Type": "text/html"], body: "<html><body>Bad gateway</body></html>")
        case .truncated: .truncate
        case .oddShape: .replaceAnswer(status: 200, headers: json, body: odd)
        case .oddShapeWithoutEffect: .answer(status: 200, headers: json, body: odd)
        }
    }
}
