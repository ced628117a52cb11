import HTTPCore
import JSONValues

/// What is sent back, before the fields that every answer has.
struct FlyAnswer: Sendable {
    enum Body: Sendable {
        case none
        case json(JSON)
        case text(String)
        /// JSON under another content type.
        case document(JSON, type: String)
    }

    var status: Int
    var body: Body
    var headers: HTTPHeaders = [:]

    init(_ status: Int, _ body: Body = .none) {
        self.status = status
        self.body = body
    }

    init(_ body: JSON) { self.init(200, .json(body)) }

    static let ok = FlyAnswer(["ok": true])
    static let noContent = FlyAnswer(204)

    func response(_ common: HTTPHeaders) -> SimulatedResponse {
        var headers = common
        for field in self.headers.fields { headers[field.name] = field.value }
        switch body {
        case .none: return .whole(HTTPResponse(status: status, headers: headers))
        case .json(let body): return .json(status, body, headers: headers)
        case .text(let text):
            headers["Content-Type"] = "text/plain; charset=utf-8"
            return .whole(HTTPResponse(status: status, headers: headers, body: Array(text.utf8)))
        case .document(let body, let type):
            headers["Content-Type"] = type
            return .whole(HTTPResponse(status: status, headers: headers, body: body.bytes))
        }
    }
}

/// An answer that is a refusal.
struct FlyFailure: Error {
    var answer: FlyAnswer

    init(_ answer: FlyAnswer) { self.answer = answer }

    /// The Machines API's form: a text that begins with a code.
    init(_ status: Int, _ text: String, code: String? = nil) {
        var body: JSON = ["error": .string(text)]
        if let code { body["status"] = .string(code) }
        answer = FlyAnswer(status, .json(body))
    }

    /// What no route answers, whoever asks.
    static let noRoute = FlyFailure(FlyAnswer(404, .text("404 page not found\n")))
}
