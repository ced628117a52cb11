public import HTTPCore
public import JSONValues

/// A small client of one API server. Sends every request once; retrying is the control loop's.
///
/// The one exception is a 401 under a credential that can be renewed: then it is renewed and the request, which certainly had no
/// effect, is sent again.
public struct KubernetesClient: Sendable {
    /// The name under which Belay owns fields.
    public static let fieldManager = "belay"

    public let connection: ClusterConnection
    public let transport: any Transport
    public var userAgent: String
    /// Bounds every exchange but a watch.
    public var deadline: Duration
    let credentials: Credentials

    public init(_ connection: ClusterConnection, transport: any Transport, userAgent: String = "belay", deadline: Duration = .seconds(30)) {
        self.connection = connection
        self.transport = transport
        self.userAgent = userAgent
        self.deadline = deadline
        credentials = Credentials(connection.credentials, environment: connection.environment)
    }

    /// One object.
    public func get(
        _ resource: KubernetesResource, namespace: String? = nil, name: String
    ) async throws(KubernetesError) -> KubernetesAnswer {
        let operation = Operation(verb: "get", resource: resource, namespace: namespace, name: name)
        return try await send(.get, resource.path(namespace: namespace, name: name), operation)
    }

    func request(
        _ method: HTTPMethod, _ path: String, query: [(name: String, value: String?)] = [], body: JSON? = nil, contentType: String? = nil,
        answering part: KubernetesAnswer.Part = .object
    ) -> HTTPRequest {
        var request = HTTPRequest(method, connection.server + path + .query(query), deadline: deadline)
        request.headers["Accept"] = part.mediaType
        request.headers["User-Agent"] = userAgent
        if let body {
            request.headers["Content-Type"] = contentType ?? "application/json"
            request.body = body.bytes
        }
        return request
    }

    func send(
        _ method: HTTPMethod, _ path: String, query: [(name: String, value: String?)] = [], body: JSON? = nil, contentType: String? = nil,
        answering part: KubernetesAnswer.Part = .object, without names: [String] = [], _ operation: Operation
    ) async throws(KubernetesError) -> KubernetesAnswer {
        var request = request(method, path, query: query, body: body, contentType: contentType, answering: part)
        var credential = try await authenticate(&request)
        var response = try await exchange(request, operation)
        if response.status == 401, await credentials.renew(instead: credential) {
            credential = try await authenticate(&request)
            response = try await exchange(request, operation)
        }
        guard response.isSuccess else {
            throw KubernetesError(response, operation, on: connection, hiding: credential.token)
        }
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: response.body, without: names) } catch {
            throw KubernetesError(malformed: "\(error)", operation, on: connection)
        }
        guard json.object != nil else { throw KubernetesError(malformed: "it is not an object", operation, on: connection) }
        return KubernetesAnswer(body: json, headers: response.headers)
    }

    /// Puts the credential into the request's headers and TLS settings.
    func authenticate(_ request: inout HTTPRequest) async throws(KubernetesError) -> Credential {
        let credential = try await credentials.current()
        request.headers["Authorization"] = credential.token.map { "Bearer \($0)" }
        var tls = connection.tls
        if let certificate = credential.clientCertificate, let key = credential.clientKey {
            tls.clientCertificate = certificate
            tls.clientKey = key
        }
        request.tls = tls == TLSSettings() ? nil : tls
        return credential
    }

    private func exchange(_ request: HTTPRequest, _ operation: Operation) async throws(KubernetesError) -> HTTPResponse {
        do throws(TransportError) {
            return try await transport.send(request)
        } catch {
            throw KubernetesError(error, operation, on: connection)
        }
    }
}

/// The answer of a 2xx status: an object.
public struct KubernetesAnswer: Sendable {
    /// How much of an object is wanted.
    public enum Part: Sendable {
        case object
        /// Its metadata alone, of an object that is large.
        case metadata

        /// https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
        var mediaType: String {
            switch self {
            case .object: "application/json"
            case .metadata: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
            }
        }
    }

    public var body: JSON
    public var headers: HTTPHeaders

    public init(body: JSON, headers: HTTPHeaders) {
        self.body = body
        self.headers = headers
    }
}
