public import YAMLReading

/// A mistake in a spec file: where it is, and what to do about it.
public struct Diagnostic: Error, Sendable, Hashable, Comparable, CustomStringConvertible {
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int
    /// The field, for instance `spec.components.web.release`; empty where the whole document or file is meant.
    public var path: String
    public var message: String

    public init(file: String, line: Int = 1, column: Int = 1, path: String = "", message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    public init(file: String, at mark: YAMLMark, path: String = "", message: String) {
        self.init(file: file, line: mark.line, column: mark.column, path: path, message: message)
    }

    /// `file:line:column: message`, with the path of the field leading the message.
    public var description: String { "\(file):\(line):\(column): \(path.isEmpty ? "" : path + ": ")\(message)" }

    public static func < (left: Diagnostic, right: Diagnostic) -> Bool {
        (left.file, left.line, left.column, left.path, left.message) < (right.file, right.line, right.column, right.path, right.message)
    }
}
