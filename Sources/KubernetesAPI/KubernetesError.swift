/// Why the API server gave no usable answer, or why it could not be asked. Holds no token and no key.
public struct KubernetesError: Error, Sendable, Hashable {
    public enum Code: String, Sendable {
        /// A kubeconfig or the pod's service account could not be used.
        case configuration
        /// A credential plugin or a token file gave no credential.
        case credentials
        case badRequest, unauthorized, forbidden, notFound, conflict, gone, invalid, rateLimited
        /// Another status from 300 to 499.
        case refused
        case server, transport, malformed
    }

    /// One entry of the `details.causes` of a `Status` object.
    public struct Cause: Sendable, Hashable {
        public var reason: String
        public var message: String
        /// For instance `.spec.template.spec.containers[name="api"].image`.
        public var field: String

        public init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    public var code: Code
    public var status: Int?
    /// `reason` of the `Status` object: `AlreadyExists`, `FieldManagerConflict`.
    public var reason: String?
    /// What failed and on what, with the server's own words where it said some.
    public var message: String
    /// What to do about it; nil when waiting is all there is.
    public var next: String?
    public var causes: [Cause]
    /// How long the server asks to wait.
    public var retryAfter: Duration?
    /// True for a write that the server may have carried out.
    public var mayHaveTakenEffect: Bool

    public init(
        _ code: Code, _ message: String, next: String? = nil, status: Int? = nil, reason: String? = nil, causes: [Cause] = [],
        retryAfter: Duration? = nil, mayHaveTakenEffect: Bool = false
    ) {
        self.code = code
        self.status = status
        self.reason = reason
        self.message = message
        self.next = next
        self.causes = causes
        self.retryAfter = retryAfter
        self.mayHaveTakenEffect = mayHaveTakenEffect
    }
}

extension KubernetesError: CustomStringConvertible {
    public var description: String { next.map { "\(message); \($0)" } ?? message }
}

extension KubernetesError {
    /// A field that a server-side apply did not get, and who holds it.
    public struct FieldConflict: Sendable, Hashable {
        public var manager: String
        public var field: String

        public init(manager: String, field: String) {
            self.manager = manager
            self.field = field
        }
    }

    /// The conflicts of a refused server-side apply; empty for every other error.
    public var fieldConflicts: [FieldConflict] {
        causes.compactMap { cause in
            guard cause.reason == "FieldManagerConflict" else { return nil }
            // `conflict with "kubectl-client-side-apply" using apps/v1 at 2026-11-23T…`
            let parts = cause.message.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
            return FieldConflict(manager: parts.count == 3 ? String(parts[1]) : cause.message, field: cause.field)
        }
    }
}
