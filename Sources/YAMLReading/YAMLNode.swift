/// A value of a YAML document, as its author wrote it. A scalar stays text: `1.10`, `on` and `0x1F` become numbers or Booleans only
/// where a reader asks for such (`YAMLNode.value`).
///
/// An alias is replaced by what it names, whose mark is that of the anchor's value.
public struct YAMLNode: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        case scalar(String, YAMLScalarStyle)
        case sequence([YAMLNode])
        case mapping(YAMLMapping)
    }

    public var content: Content
    /// As resolved, for instance `tag:yaml.org,2002:str` for `!!str`; nil when none was written.
    public var tag: String?
    public var mark: YAMLMark

    public init(_ content: Content, tag: String? = nil, at mark: YAMLMark) {
        self.content = content
        self.tag = tag
        self.mark = mark
    }
}

public enum YAMLScalarStyle: Sendable, Hashable {
    case plain
    case singleQuoted
    case doubleQuoted
    /// `|`
    case literal
    /// `>`
    case folded
}

/// The entries of a mapping in the order of the text. No two have the same key.
public struct YAMLMapping: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var key: String
        public var keyMark: YAMLMark
        public var value: YAMLNode

        public init(key: String, at keyMark: YAMLMark, value: YAMLNode) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    public internal(set) var entries: [Entry]

    /// Entries whose key stands before them are left out.
    public init(_ entries: [Entry] = []) {
        var keys: Set<String> = []
        self.entries = entries.filter { keys.insert($0.key).inserted }
    }

    init(unique entries: [Entry]) {
        self.entries = entries
    }

    public subscript(key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }
    public var keys: [String] { entries.map(\.key) }
}

// MARK: - Looking into a node

extension YAMLNode {
    /// The value of that key; nil for anything but a mapping that has it.
    public subscript(key: String) -> YAMLNode? { mapping?[key] }

    /// The item at that place; nil for anything but a sequence that is long enough.
    public subscript(index: Int) -> YAMLNode? {
        guard let items = sequence, items.indices.contains(index) else { return nil }
        return items[index]
    }

    /// The text of a scalar as it was written, whatever it could mean; nil for a null (see `isNull`), a sequence and a mapping.
    public var string: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    public var sequence: [YAMLNode]? {
        guard case .sequence(let items) = content else { return nil }
        return items
    }

    public var mapping: YAMLMapping? {
        guard case .mapping(let mapping) = content else { return nil }
        return mapping
    }

    /// The items of a sequence, nothing for anything else.
    public var items: [YAMLNode] { sequence ?? [] }

    /// The entries of a mapping, nothing for anything else.
    public var entries: [YAMLMapping.Entry] { mapping?.entries ?? [] }
}
