import HTTPCore
import JSONValues
import Model

/// What a request was about, for messages and permissions.
struct Operation: Sendable {
    /// As RBAC names it: `get`, `list`, `watch`, `patch`, `create`, `delete`.
    var verb: String
    var resource: KubernetesResource
    var namespace: String?
    var name: String?
    var subresource: String?

    /// `deployments.apps`, `systems.belay.dev/status`: as RBAC names it.
    var kind: String { resource.qualifiedName + (subresource.map { "/\($0)" } ?? "") }

    var isWrite: Bool { !["get", "list", "watch"].contains(verb) }

    /// `deployments.apps backend in namespace prod`.
    var object: String {
        kind + (name.map { " \($0)" } ?? "") + (namespace.map { " in namespace \($0)" } ?? "")
    }

    /// `reading deployments.apps backend in namespace prod`.
    var purpose: String {
        let gerund =
            switch verb {
            case "get": "reading"
            case "list": "listing"
            case "watch": "watching"
            case "patch": "patching"
            case "create": "creating"
            default: "deleting"
            }
        return "\(gerund) \(object)"
    }
}

extension KubernetesError {
    init(_ response: HTTPResponse, _ operation: Operation, on connection: ClusterConnection, hiding secret: String?) {
        let status = try? JSON(parsing: response.body)  // A proxy's error page is not JSON; the status code says enough.
        let isStatus = status?["kind"]?.string == "Status"
        func said(_ text: String?) -> String? {
            guard let text, !text.isEmpty else { return nil }
            let short = String(
                String.UnicodeScalarView(text.unicodeScalars.prefix(1000).map { $0.properties.generalCategory == .control ? " " : $0 }))
            guard let secret, !secret.isEmpty else { return short }
            return short.replacing(secret, with: "(secret)")
        }
        let words = isStatus ? said(status?["message"]?.string) : nil
        let code = Code(status: response.status)
        let seconds = status?["details"]?["retryAfterSeconds"]?.integer
        self.init(
            code,
            "\(response.status) while \(operation.purpose) (\(connection.place))" + (words.map { ": \($0)" } ?? ""),
            next: Self.next(code, operation, connection), status: response.status, reason: said(status?["reason"]?.string),
            causes: (status?["details"]?["causes"]?.elements ?? []).map { cause in
                Cause(
                    reason: said(cause["reason"]?.string) ?? "", message: said(cause["message"]?.string) ?? "",
                    field: said(cause["field"]?.string) ?? "")
            },
            retryAfter: Self.retryAfter(response.headers) ?? seconds.flatMap { $0 > 0 ? .seconds(min($0, 86_400)) : nil },
            mayHaveTakenEffect: operation.isWrite && (response.status >= 500 || response.status < 400))
    }

    init(_ error: TransportError, _ operation: Operation, on connection: ClusterConnection) {
        let next =
            switch error.code {
            case .tls:
                "check certificate-authority of the cluster in context \(connection.context): the server must show a certificate that it signed"
            case .nameResolution, .connect, .proxy, .timedOut:
                "check that \(connection.address) is the right server and can be reached from here"
            default: nil as String?
            }
        self.init(
            .transport, "no answer while \(operation.purpose) (\(connection.place)): \(error.message)", next: next,
            mayHaveTakenEffect: operation.isWrite && error.mayHaveTakenEffect)
    }

    /// An answer that is not what the API promises.
    init(malformed what: String, _ operation: Operation, on connection: ClusterConnection) {
        self.init(
            .malformed, "an unusable answer while \(operation.purpose) (\(connection.place)): \(what)",
            next: "check that \(connection.address) is a Kubernetes API server and not a proxy in between",
            mayHaveTakenEffect: operation.isWrite)
    }

    private static func next(_ code: Code, _ operation: Operation, _ connection: ClusterConnection) -> String? {
        switch code {
        case .unauthorized: return "check the credentials of \(connection.user) in context \(connection.context)"
        case .forbidden:
            let scope = operation.namespace.map { "in namespace \($0)" } ?? "in the cluster"
            return "grant \(connection.user) the verb \(operation.verb) on \(operation.kind) \(scope)"
        case .notFound: return "check the names in the spec, and that context \(connection.context) is the right cluster"
        default: return nil
        }
    }

    private static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        guard let value = headers["Retry-After"] else { return nil }
        if let seconds = Int(value), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
        return nil
    }
}

extension KubernetesError.Code {
    init(status: Int) {
        self =
            switch status {
            case 400: .badRequest
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 410: .gone
            case 422: .invalid
            case 429: .rateLimited
            case 500...: .server
            default: .refused
            }
    }
}
