import Model

/// Where the proof of who one is comes from.
enum CredentialSource: Sendable {
    /// None, or a client certificate that is in the connection's TLS settings.
    case none
    case token(String)
    case tokenFile(String)
    case exec(ExecPlugin)

    /// True if asking again may give another credential.
    var isRenewable: Bool {
        switch self {
        case .none, .token: false
        case .tokenFile, .exec: true
        }
    }
}

/// What goes into one request.
struct Credential: Sendable {
    var token: String?
    /// PEM.
    var clientCertificate: [UInt8]?
    /// PEM.
    var clientKey: [UInt8]?
    /// Counts up with every renewal, so that many requests that were refused together renew once.
    var generation = 0
}

/// The current credential of one connection: read again when it ages, made again when it expires, and by one caller at a time.
actor Credentials {
    /// A pod's token is replaced on disk while the old one is still valid for minutes.
    private static let fileLifetime = Duration.seconds(60)
    /// A credential is renewed this long before it expires, so that none expires on its way.
    private static let margin = Duration.seconds(10)

    private let source: CredentialSource
    private let environment: ClusterEnvironment
    private var cached: Credential?
    private var expires: Timestamp?
    private var generation = 0
    private var isRenewing = false
    private(set) var waiting: [CheckedContinuation<KubernetesError?, Never>] = []

    init(_ source: CredentialSource, environment: ClusterEnvironment) {
        self.source = source
        self.environment = environment
    }

    func current() async throws(KubernetesError) -> Credential {
        while isRenewing {
            if let failure = await withCheckedContinuation({ waiting.append($0) }) { throw failure }
        }
        if let cached, expires.map({ environment.now() < $0 }) ?? true { return cached }
        isRenewing = true
        // Shared by those who waited for it: a plugin that hangs costs everybody one timeout, not one after the other.
        var failure: KubernetesError?
        defer {
            isRenewing = false
            for continuation in waiting { continuation.resume(returning: failure) }
            waiting = []
        }
        var credential: Credential
        let expires: Timestamp?
        do throws(KubernetesError) {
            (credential, expires) = try await make()
        } catch {
            // A cancelled caller fails alone.
            if !Task.isCancelled { failure = error }
            throw error
        }
        generation += 1
        credential.generation = generation
        cached = credential
        self.expires = expires
        return credential
    }

    /// Forgets a credential that the server refused. False if asking again would give the same.
    func renew(instead refused: Credential) -> Bool {
        guard source.isRenewable else { return false }
        if cached?.generation == refused.generation { cached = nil }
        return true
    }

    private func make() async throws(KubernetesError) -> (Credential, expires: Timestamp?) {
        switch source {
        case .none: return (Credential(), nil)
        case .token(let token): return (Credential(token: token), nil)
        case .tokenFile(let path):
            let content: [UInt8]
            do throws(KubernetesError) { content = try environment.file(path, "the token file") } catch {
                throw KubernetesError(.credentials, error.message, next: "check that the token is mounted and can be read")
            }
            let token = String(decoding: content, as: UTF8.self).trimmed
            guard !token.isEmpty else { throw KubernetesError(.credentials, "the token file \(path) is empty") }
            return (Credential(token: token), environment.now() + Self.fileLifetime)
        case .exec(let plugin):
            let (credential, expires) = try await plugin.run(environment)
            return (credential, expires.map { $0 + (.zero - Self.margin) })
        }
    }
}
