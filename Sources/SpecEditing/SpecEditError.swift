public import YAMLReading

/// Why a text was not changed. It is then as it was.
public struct SpecEditError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The text is not YAML, or holds a key twice.
        case unreadable
        /// No document, or more than one, is the system.
        case system
        /// The value is an alias, or aliases elsewhere stand for it.
        case alias
        /// A single value or a list stands where a mapping is needed.
        case notMapping
        /// It cannot be written without changing something else.
        case unchangeable
    }

    public var code: Code
    public var mark: YAMLMark
    /// What is wrong and what to do, without the place.
    public var message: String

    init(_ code: Code, at mark: YAMLMark, _ message: String) {
        self.code = code
        self.mark = mark
        self.message = message
    }

    public var description: String { "\(mark.line):\(mark.column): \(message)" }
}
