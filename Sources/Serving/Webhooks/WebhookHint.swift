/// What a webhook says may have happened.
public enum WebhookHint: Sendable, Hashable {
    case push(PushEvent)
    /// Something at a provider: what its project or service is called there, by id and by name.
    case target(provider: String, names: [String], namesAreComplete: Bool)
    /// These systems, by name or `namespace/name`.
    case systems([String])
}

/// A ref of a repository was moved.
public struct PushEvent: Sendable, Hashable {
    /// What it is called: URLs, and paths such as `acme/specs`. Empty: whichever is watched.
    public var repository: [String]
    /// `refs/heads/main`; nil: whichever is watched.
    public var ref: String?
    /// What the ref is now; nil when it is gone, or nobody said.
    public var object: String?

    public init(repository: [String] = [], ref: String? = nil, object: String? = nil) {
        self.repository = repository
        self.ref = ref
        self.object = object
    }
}

/// What became of a hint.
public enum WebhookEffect: Sendable, Hashable {
    /// It is being looked at: what.
    case accepted(String)
    /// It means nothing here: why.
    case ignored(String)
}
