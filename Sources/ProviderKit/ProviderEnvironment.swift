public import HTTPCore
public import Model

/// What a provider gets from the process that it runs in.
public struct ProviderEnvironment: Sendable {
    /// The process's environment: endpoints and credentials under the names that the vendors' own tools use.
    public var variables: [String: String]
    public var transport: any Transport
    /// Belay's own clock, for deadlines of credentials and for people; never compared with a provider's.
    public var now: @Sendable () -> Timestamp
    /// Sent as `User-Agent`.
    public var userAgent: String
    /// For pauses and limits within one write.
    public var clock: any Clock<Duration>

    public init(
        variables: [String: String], transport: any Transport, now: @escaping @Sendable () -> Timestamp, userAgent: String = "belay",
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.variables = variables
        self.transport = transport
        self.now = now
        self.userAgent = userAgent
        self.clock = clock
    }

    /// A variable that is set and not empty.
    public func variable(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }
}
