/// Why a sandbox cannot run.
public struct SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// A world or fault file that cannot be read or does not hold what it should.
        case file
        case listen
        /// A file that the sandbox writes.
        case write
    }

    public var code: Code
    /// One line for each thing that is wrong. Never a token.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
