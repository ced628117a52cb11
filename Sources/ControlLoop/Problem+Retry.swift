import Model

extension Problem {
    /// True if another pass may find the world without it, though nobody did anything.
    var isTransient: Bool {
        retryAfter != nil || ["ProviderError", "ProviderUnreachable", "RateLimited", "MalformedAnswer", "Conflict"].contains(reason)
    }
}
