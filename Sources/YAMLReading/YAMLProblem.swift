/// What is wrong with a YAML text, and where.
public struct YAMLProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The text is not YAML, or not UTF-8. Nothing behind this place was read.
        case syntax
        /// A limit of `YAMLLimits` was reached. Nothing behind this place was read.
        case limit
        /// An alias without its anchor, or inside of it. Nothing behind this place was read.
        case alias
        case duplicateKey
        /// A key that is a list or a mapping, or the merge key `<<`.
        case unusableKey
        /// None or several documents where one was expected.
        case documentCount
    }

    public var code: Code
    public var mark: YAMLMark
    public var message: String

    public init(_ code: Code, at mark: YAMLMark, _ message: String) {
        self.code = code
        self.mark = mark
        self.message = message
    }

    public var description: String { "\(mark.line):\(mark.column): \(message)" }
}

/// How much a text may ask for, so that no text can exhaust memory or stack.
public struct YAMLLimits: Sendable {
    /// Of the whole text, all documents together.
    public var bytes: Int
    /// How many mappings and sequences may stand in each other, aliases expanded.
    public var depth: Int
    /// Of the whole text, with every alias counted as what it stands for.
    public var nodes: Int

    public init(bytes: Int = 4 << 20, depth: Int = 64, nodes: Int = 200_000) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }
}
