/// Why a server cannot serve.
public struct ServingError: Error, Sendable, Hashable {
    public enum Code: String, Sendable {
        case addressTaken, addressNotHere, notPermitted, failed
        /// A secret that cannot be used.
        case badSecret
    }

    public var code: Code
    /// Names the address, what failed and what to do next.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ServingError: CustomStringConvertible {
    public var description: String { message }
}
