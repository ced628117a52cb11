/// Where everything in a text stands, byte by byte: what an editor needs to change one value and leave the rest as it is. Aliases are kept
/// as they are written.
///
/// Says nothing about what is wrong with a text: read it with `YAMLStream` first, whose documents these are, in the same order.
public struct YAMLOutline: Sendable, Hashable {
    public struct Node: Sendable, Hashable {
        public indirect enum Kind: Sendable, Hashable {
            /// The name of the anchor that it stands for.
            case alias(String)
            case scalar(YAMLScalarStyle)
            case sequence([Node], isFlow: Bool)
            case mapping([Entry], isFlow: Bool)
        }

        public var kind: Kind
        /// From the first byte of the node, its anchor and tag included, to behind its last. A block scalar ends behind its last line that is
        /// not blank, a block collection behind its last item. Empty behind the `:` where nothing is written.
        public var range: Range<Int>
        public var anchor: String?
        /// True if an anchor or a tag stands before the value.
        public var hasProperties: Bool
        public var mark: YAMLMark

        /// The entries of a mapping, nothing for anything else.
        public var entries: [Entry] {
            guard case .mapping(let entries, _) = kind else { return [] }
            return entries
        }
    }

    public struct Entry: Sendable, Hashable {
        /// Nil where the key is no scalar.
        public var key: String?
        public var keyRange: Range<Int>
        public var keyMark: YAMLMark
        public var value: Node

        public init(key: String?, keyRange: Range<Int>, keyMark: YAMLMark, value: Node) {
            self.key = key
            self.keyRange = keyRange
            self.keyMark = keyMark
            self.value = value
        }
    }

    /// In the order of the text.
    public var documents: [Node]

    /// Reads UTF-8, with or without a byte order mark.
    public init(reading bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLProblem) {
        let start = YAMLMark(line: 1, column: 1)
        guard bytes.count <= limits.bytes else { throw YAMLProblem(.limit, at: start, "the text has \(bytes.count) bytes") }
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<[Node], YAMLProblem> in
            var builder = YAMLOutlineBuilder(EventReader(buffer), bytes: buffer, depth: limits.depth)
            do throws(YAMLProblem) { return .success(try builder.documents()) } catch { return .failure(error) }
        }
        documents = try result.get()
    }
}
