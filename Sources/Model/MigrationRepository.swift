/// A Git repository that the migrations of a database are in, and what was read of it.
public struct MigrationRepository: Sendable, Hashable {
    /// Whatever Git can fetch from; without a password.
    public var url: String
    /// A branch, a tag or a full commit id; nil is the branch that the repository itself names.
    public var ref: String?
    /// The directory of the migrations in it; empty for its root.
    public var path: String
    /// What is sent to an HTTPS host, and the name that goes with it.
    public var token: Configuration.Source?
    public var user: String?
    /// What ssh shows, and the hosts that it trusts.
    public var sshKey: Configuration.Source?
    public var knownHosts: Configuration.Source?
    /// The namespace that alone uses what is fetched; nil where the spec is the operator's own.
    public var tenant: String?
    /// Whether Belay's own credentials may be shown to the host.
    public var mayUseOperatorAccess: Bool
    /// Nil as long as nobody has looked.
    public var reading: Reading?

    public enum Reading: Sendable, Hashable {
        /// A commit is checked out. The trouble is why nobody knows whether it is still the newest.
        case commit(String, trouble: String?)
        /// Nothing is there to work with.
        case failed(Problem)
    }

    public init(
        url: String, ref: String? = nil, path: String = "", token: Configuration.Source? = nil, user: String? = nil,
        sshKey: Configuration.Source? = nil, knownHosts: Configuration.Source? = nil, tenant: String? = nil,
        mayUseOperatorAccess: Bool = true, reading: Reading? = nil
    ) {
        self.url = url
        self.ref = ref
        self.path = path
        self.token = token
        self.user = user
        self.sshKey = sshKey
        self.knownHosts = knownHosts
        self.tenant = tenant
        self.mayUseOperatorAccess = mayUseOperatorAccess
        self.reading = reading
    }

    /// The same, as nobody has looked at it.
    public var unread: MigrationRepository {
        var repository = self
        repository.reading = nil
        return repository
    }

    /// For people: `https://git.example/acme/shop#main:db/migrations`.
    public var name: String {
        let place = (ref ?? "") + (path.isEmpty ? "" : ":\(path)")
        return url + (place.isEmpty ? "" : "#\(place)")
    }

    /// True if it is a directory of this machine.
    public var isLocal: Bool { Self.isLocal(url) }

    /// As Git tells them apart: a colon before the first slash is a host.
    public static func isLocal(_ url: String) -> Bool {
        url.hasPrefix("file://") || !url.contains("://") && !url.prefix { $0 != "/" }.contains(":")
    }

    /// The host of its URL in lower case, with its port where one is named; nil where there is none, or where programs that read the URL may
    /// disagree about it.
    public var host: String? {
        guard !isLocal else { return nil }
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let isPlain = url.contains("://")
        let authority = rest.prefix { !"/?#".contains($0) && (isPlain || $0 != ":") }
        // git decodes what is encoded before it looks for the host of an ssh URL.
        guard !authority.contains(where: { $0.isWhitespace || "\\%".contains($0) }) else { return nil }
        return authority.split(separator: "@").last.map { $0.lowercased() }
    }
}

extension Database {
    /// Why the files of its migrations cannot be read; nil where they can, or stand beside the spec.
    public var migrationsProblem: Problem? {
        guard let repository = migrations.git else { return nil }
        switch repository.reading {
        case .commit?: return nil
        case .failed(let problem)?: return problem
        case nil:
            return Problem("MigrationsUnread", "\(id): the migrations of \(repository.name) were not read here", next: "run again")
        }
    }
}
