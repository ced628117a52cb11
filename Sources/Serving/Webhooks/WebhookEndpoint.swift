import HTTPCore
import JSONValues
import Synchronization

/// Takes webhooks: proves who sent them, then reads them, then hands on what they say. Answers at once and never waits for what follows.
public struct WebhookEndpoint: Sendable {
    /// What became of one request, for logs and numbers.
    public struct Note: Sendable, Hashable {
        public enum Result: String, Sendable {
            case accepted, ignored, refused, malformed, limited
            case tooLarge = "too-large"
            case notConfigured = "not-configured"
        }

        public var sender: WebhookSender
        public var result: Result
        /// One line, for people.
        public var text: String
    }

    /// The largest body in bytes. Hosts send less than that unless hundreds of commits are pushed at once.
    public static let bodyLimit = 2 << 20
    /// The largest body of which as many may be coming as there are connections.
    private static let small = 64 << 10
    /// How many larger ones may be coming at once.
    private static let mostBodies = 8

    private let secrets: WebhookSecrets
    private let secondsSince1970: @Sendable () -> Double
    private let act: @Sendable (WebhookHint) -> WebhookEffect
    private let note: @Sendable (Note) -> Void
    private let rate = RequestRate()
    private let seen = SeenDeliveries()
    private let places = Places()

    /// How many large bodies are being held.
    private final class Places: Sendable {
        private let taken = Mutex(0)

        func take(of most: Int) -> Bool {
            taken.withLock { taken in
                guard taken < most else { return false }
                taken += 1
                return true
            }
        }

        func giveBack() { taken.withLock { $0 -= 1 } }
    }

    /// - Parameters:
    ///   - act: does what a hint asks for, or says why it means nothing; must return at once.
    ///   - note: told of every request.
    public init(
        secrets: WebhookSecrets, secondsSince1970: @escaping @Sendable () -> Double,
        act: @escaping @Sendable (WebhookHint) -> WebhookEffect,
        note: @escaping @Sendable (Note) -> Void
    ) {
        self.secrets = secrets
        self.secondsSince1970 = secondsSince1970
        self.act = act
        self.note = note
    }

    func answer(_ request: ServedRequest, from sender: WebhookSender) async -> HTTPResponse {
        if let pause = rate.pause(for: "\(sender.rawValue) \(request.peer)") {
            return limited(sender, "too many requests", for: pause)
        }
        let secrets = secrets.secrets(of: sender)
        guard !secrets.isEmpty else {
            let text = "no secret is set for it: set \(sender.variable), or \(WebhookSecrets.variable) for all senders"
            return told(sender, .notConfigured, text, 503)
        }
        // What does not say how long it is may be large.
        let isLarge = request.headers["Content-Length"].flatMap { Int($0) }.map { $0 > Self.small } ?? true
        guard !isLarge || places.take(of: Self.mostBodies) else {
            return limited(sender, "too many large bodies at once", for: .seconds(1))
        }
        defer { if isLarge { places.giveBack() } }
        let body: [UInt8]
        do {
            guard let whole = try await request.body(Self.bodyLimit) else {
                return told(sender, .tooLarge, "the body is larger than \(Self.bodyLimit) bytes", 413)
            }
            body = whole
        } catch {
            return told(sender, .malformed, "the body did not come to its end", 400)
        }
        return answer(sender, request.headers, body, secrets)
    }

    private func answer(_ sender: WebhookSender, _ headers: HTTPHeaders, _ body: [UInt8], _ secrets: [String]) -> HTTPResponse {
        let now = secondsSince1970()
        if let refusal = WebhookProof(headers: headers, body: body, secrets: secrets, secondsSince1970: now).refusal(sender) {
            return told(sender, .refused, refusal, 401)
        }
        if let id = headers["webhook-id"], sender == .render || headers["webhook-signature"] != nil, seen.contains("\(sender) \(id)") {
            return told(sender, .ignored, "it came before", 202)
        }
        switch WebhookReading(sender, headers, body, secondsSince1970: now) {
        case .malformed(let why): return told(sender, .malformed, why, 400)
        case .nothing(let why): return told(sender, .ignored, why, 202)
        case .hint(let hint):
            switch act(hint) {
            case .accepted(let what): return told(sender, .accepted, what, 202)
            case .ignored(let why): return told(sender, .ignored, why, 202)
            }
        }
    }

    private func limited(_ sender: WebhookSender, _ text: String, for pause: Duration) -> HTTPResponse {
        var response = told(sender, .limited, text, 429)
        response.headers["Retry-After"] = String(max(1, pause.components.seconds + (pause.components.attoseconds > 0 ? 1 : 0)))
        return response
    }

    private func told(_ sender: WebhookSender, _ result: Note.Result, _ text: String, _ status: Int) -> HTTPResponse {
        note(Note(sender: sender, result: result, text: text))
        let json: JSON = ["result": .string(result.rawValue), "detail": .string(text)]
        return .text(status, json.description + "\n", headers: ["Content-Type": "application/json"])
    }
}
