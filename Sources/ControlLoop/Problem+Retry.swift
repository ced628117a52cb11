import Model

extension Problem {
    /// True if another pass may find the world without it, though nobody did anything.
    var isTransient: Bool { retryAfter != nil || Self.transientReasons.contains(reason) }

    private static let transientReasons: Set<String> = [
        "Conflict", "FlagChanged", "FlagNotSet", "MalformedAnswer", "ObservationTimedOut", "ProviderError", "ProviderUnreachable",
        "RateLimited", "WorldChanged",
    ]
}
