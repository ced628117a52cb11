import HTTPCore
public import JSONValues
public import Model

/// Why an API gave no usable answer.
public struct APIError: Error, Sendable {
    public enum Code: String, Sendable {
        case badRequest, unauthorized, paymentRequired, forbidden, notFound, conflict, gone, preconditionFailed, unprocessable, rateLimited
        case refused, server, transport, malformed
    }

    public var code: Code
    public var status: Int?
    /// The vendor's own code, as it wrote it.
    public var vendorCode: String?
    /// The vendor's own words, at most 300 characters, control characters removed; nil when it said nothing readable.
    public var vendorMessage: String?
    /// What was being done: `reading deployments`.
    public var purpose: String
    /// How long the vendor asks to wait; nil when it said nothing.
    public var retryAfter: Duration?
    /// The vendor's id of the request, for a support case.
    public var requestID: String?
    /// True for a write that the vendor may have carried out.
    public var mayHaveTakenEffect: Bool
    /// The body when it was JSON.
    public var body: JSON?

    init(_ response: HTTPResponse, purpose: String, isWrite: Bool) {
        status = response.status
        self.purpose = purpose
        code = Self.code(of: response.status)
        // A bare object is read as the error itself: some of the vendors' APIs leave the envelope out.
        body = try? JSON(parsing: response.body)  // An error page need not be JSON; the status says enough.
        let envelope = body?["error"] ?? body?["err"] ?? body?["errors"]?[0] ?? body
        vendorCode = envelope?["code"]?.string ?? body?["status"]?.string
        let isText = body == nil && response.headers["Content-Type"]?.hasPrefix("text/plain") == true
        let words = envelope?["message"]?.string ?? envelope?["msg"]?.string ?? envelope?.string ?? (isText ? response.text : nil)
        vendorMessage = words.map(Self.shortened)
        retryAfter = Self.retryAfter(response.headers)
        requestID =
            response.headers["x-vercel-id"] ?? response.headers["x-request-id"] ?? response.headers["fly-request-id"]
            ?? response.headers["Render-Request-Id"]
        mayHaveTakenEffect = isWrite && (code == .server || response.status < 400)
    }

    /// The first words, at most 300 characters: a secret that is cut in two would not be recognised.
    private static func shortened(_ text: String) -> String {
        var words: [String] = []
        var left = 300
        for word in text.split(whereSeparator: \.isWhitespace) {
            left -= word.unicodeScalars.count
            guard left >= 0 else { break }
            words.append(visible(word))
            left -= 1
        }
        return words.joined(separator: " ")
    }

    /// Without control characters.
    static func visible(_ word: Substring) -> String {
        String(String.UnicodeScalarView(word.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }

    init(transport error: TransportError, purpose: String, isWrite: Bool) {
        code = .transport
        self.purpose = purpose
        vendorMessage = error.message
        mayHaveTakenEffect = isWrite && error.mayHaveTakenEffect
    }

    init(notJSON response: HTTPResponse, _ error: JSONError, purpose: String, isWrite: Bool) {
        code = .malformed
        status = response.status
        self.purpose = purpose
        vendorMessage = "the answer is \(error)"
        mayHaveTakenEffect = isWrite
    }

    /// An answer that is JSON and lacks what the contract promises.
    public init(missing what: String, purpose: String, isWrite: Bool = false) {
        code = .malformed
        self.purpose = purpose
        vendorMessage = "the answer has no \(what)"
        mayHaveTakenEffect = isWrite
    }

    private static func code(of status: Int) -> Code {
        switch status {
        case 400: .badRequest
        case 401: .unauthorized
        case 402: .paymentRequired
        case 403: .forbidden
        case 404: .notFound
        case 409: .conflict
        case 410: .gone
        case 412: .preconditionFailed
        case 422: .unprocessable
        case 429: .rateLimited
        case 500...: .server
        default: .refused
        }
    }

    /// `Retry-After` in seconds or as a date against the response's own `Date` (RFC 9110, 10.2.3); without one, `X-RateLimit-Reset`
    /// in seconds since 1970, against that `Date` too.
    static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        guard let value = headers["Retry-After"] else {
            if let wait = rateLimitReset(headers) { return wait }
            guard headers["X-RateLimit-Remaining"] == "0", let reset = headers["X-RateLimit-Reset"].flatMap(Int64.init),
                let now = headers["Date"].flatMap(Timestamp.init(httpDate:)), (0..<1 << 40).contains(reset)
            else { return nil }
            return max(.zero, Timestamp(millisecondsSinceEpoch: reset * 1000) - now)
        }
        if let seconds = Int(value), seconds >= 0 { return .seconds(min(seconds, 31_536_000)) }
        guard let date = Timestamp(httpDate: value), let now = headers["Date"].flatMap(Timestamp.init(httpDate:)) else { return nil }
        return max(.zero, date - now)
    }

    /// `Ratelimit-Reset` of a spent limit: seconds from now on, or, if it is as large as that, seconds since 1970 against `Date`.
    private static func rateLimitReset(_ headers: HTTPHeaders) -> Duration? {
        guard headers["Ratelimit-Remaining"] == "0", let reset = headers["Ratelimit-Reset"].flatMap(Int64.init),
            (0..<1 << 40).contains(reset)
        else { return nil }
        guard reset > 1_000_000 else { return .seconds(reset) }
        guard let now = headers["Date"].flatMap(Timestamp.init(httpDate:)) else { return nil }
        return max(.zero, Timestamp(millisecondsSinceEpoch: reset * 1000) - now)
    }
}

extension APIError {
    /// The error without a secret that the vendor may repeat in its answer: the token, or a value that was written.
    public func hiding(_ token: Secret) -> APIError {
        let secret = token.reveal()
        guard !secret.isEmpty else { return self }
        var error = self
        error.vendorCode = vendorCode?.replacing(secret, with: token.description)
        error.vendorMessage = vendorMessage?.replacing(secret, with: token.description)
        error.requestID = requestID?.replacing(secret, with: token.description)
        return error
    }

    /// The error as a problem of a resource: `vercel/web: 403 while reading deployments: Not authorized`.
    ///
    /// - Parameters:
    ///   - resource: provider and component: `vercel/web`.
    ///   - next: what to do, when the caller knows better than the status.
    public func problem(of resource: String, next: String? = nil) -> Problem {
        var message = "\(resource): \(status.map(String.init) ?? "no answer") while \(purpose)"
        if let vendorMessage, !vendorMessage.isEmpty { message += ": \(vendorMessage)" }
        if let requestID { message += " (request \(requestID))" }
        return Problem(reason, message, next: next ?? usualNext, retryAfter: retryAfter)
    }

    private var reason: String {
        switch code {
        case .badRequest, .unprocessable, .refused: "Rejected"
        case .unauthorized: "Unauthorized"
        case .paymentRequired: "PlanLimit"
        case .forbidden: "Forbidden"
        case .notFound: "NotFound"
        case .conflict, .preconditionFailed: "Conflict"
        case .gone: "Gone"
        case .rateLimited: "RateLimited"
        case .server: "ProviderError"
        case .transport: "ProviderUnreachable"
        case .malformed: "MalformedAnswer"
        }
    }

    private var usualNext: String? {
        switch code {
        case .unauthorized: "check that the token is valid and has not expired"
        case .forbidden: "check that the token has access to it"
        case .notFound: "check the names in the spec, and the team or namespace"
        case .rateLimited: retryAfter == nil ? "wait; the next pass tries again" : nil
        case .transport: "check the network, the proxy variables and the provider's status page; the next pass tries again"
        case .server, .malformed: "look at the provider's status page; the next pass tries again"
        case .badRequest, .paymentRequired, .conflict, .gone, .preconditionFailed, .unprocessable, .refused: nil
        }
    }
}
