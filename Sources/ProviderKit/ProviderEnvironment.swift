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

    public init(
        variables: [String: String], transport: any Transport, now: @escaping @Sendable () -> Timestamp, userAgent: String = "belay"
    ) {
        self.variables = variables
        self.transport = transport
        self.now = now
        self.userAgent = userAgent
    }

    /// A variable that is set and not empty.
    public func variable(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }
}

/// A value that must not be shown. Printing, interpolating or reflecting it gives a placeholder.
public struct Secret: Sendable, Hashable {
    private let value: String

    public init(_ value: String) { self.value = value }

    /// The value itself: for a request header or a file descriptor, nothing else.
    public func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
