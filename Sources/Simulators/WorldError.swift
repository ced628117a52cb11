/// Why a world cannot be simulated as it is written.
public struct WorldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where, for instance `vercel.projects[0].production`.
    public var path: String
    /// What was expected there, and what was found.
    public var message: String

    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
