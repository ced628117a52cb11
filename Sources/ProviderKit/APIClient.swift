public import HTTPCore
public import JSONValues
public import Model

/// JSON over HTTP to one vendor's API. Sends every request once; retrying is the control loop's.
public struct APIClient: Sendable {
    /// The provider's name, for messages.
    public var provider: String
    /// Without a trailing slash: `https://api.vercel.com`.
    public var base: String
    public var token: Secret
    /// What stands before the token in `Authorization`.
    public var scheme = "Bearer"
    public var transport: any Transport
    public var userAgent: String
    /// Bounds every exchange.
    public var deadline: Duration

    public init(
        provider: String, base: String, token: Secret, transport: any Transport, userAgent: String, deadline: Duration = .seconds(30)
    ) {
        self.provider = provider
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        self.transport = transport
        self.userAgent = userAgent
        self.deadline = deadline
    }

    /// Sends and returns the answer of a 2xx status.
    ///
    /// - Parameters:
    ///   - path: begins with `/`, already percent-encoded.
    ///   - headers: further ones; they replace the usual ones of that name.
    ///   - purpose: ends the sentence "403 while …": `reading deployments`.
    public func send(
        _ method: HTTPMethod, _ path: String, query: [(name: String, value: String?)] = [], body: JSON? = nil, headers: HTTPHeaders = [:],
        while purpose: String
    ) async throws(APIError) -> APIAnswer {
        let isWrite = !method.isSafe
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await transport.send(request(method, path + .query(query), body, headers))
        } catch {
            throw APIError(transport: error, purpose: purpose, isWrite: isWrite).hiding(token)
        }
        return try answer(response, purpose, isWrite: isWrite)
    }

    // Apart from `send`: what it holds while it waits is held once for every request that is under way.

    @inline(never)
    private func request(_ method: HTTPMethod, _ pathAndQuery: String, _ body: JSON?, _ headers: HTTPHeaders) -> HTTPRequest {
        var request = HTTPRequest(method, base + pathAndQuery, deadline: deadline)
        request.headers["Authorization"] = scheme + " " + token.reveal()
        request.headers["Accept"] = "application/json"
        request.headers["User-Agent"] = userAgent
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = body.bytes
        }
        for field in headers.fields { request.headers[field.name] = field.value }
        return request
    }

    @inline(never)
    private func answer(_ response: HTTPResponse, _ purpose: String, isWrite: Bool) throws(APIError) -> APIAnswer {
        guard response.isSuccess else { throw APIError(response, purpose: purpose, isWrite: isWrite).hiding(token) }
        var json: JSON?
        if !response.body.isEmpty {
            do throws(JSONError) {
                json = try JSON(parsing: response.body)
            } catch {
                throw APIError(notJSON: response, error, purpose: purpose, isWrite: isWrite)
            }
        }
        return APIAnswer(status: response.status, body: json, headers: response.headers)
    }
}

/// The answer of a 2xx status.
public struct APIAnswer: Sendable {
    public var status: Int
    /// Nil when the body was empty.
    public var body: JSON?
    public var headers: HTTPHeaders

    /// The provider's own clock.
    public var time: Timestamp? { headers["Date"].flatMap(Timestamp.init(httpDate:)) }
}
