import Model

extension Problem {
    /// True if another pass may find the world without it, though nobody did anything.
    var isTransient: Bool { retryAfter != nil || Self.transientReasons.contains(reason) }

    /// True if somebody else holds what is needed.
    var isBusyElsewhere: Bool { reason == "DatabaseBusy" }

    private static let transientReasons: Set<String> = [
        "ConnectionLost", "Conflict", "DatabaseUnreachable", "Deadlock", "FlagChanged", "FlagNotSet", "LeaseLost",
        "LockTimeout", "MalformedAnswer", "ObjectNotHeld", "ObservationTimedOut", "ProviderError", "ProviderUnreachable",
        "RateLimited", "WorldChanged",
    ]
}
