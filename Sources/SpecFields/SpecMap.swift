public import YAMLReading

/// A mapping whose keys the author chose, in the order of the file.
public struct SpecMap<Element> {
    public struct Entry {
        public var key: String
        public var keyMark: YAMLMark
        public var value: Element

        @inlinable
        init(key: String, keyMark: YAMLMark, value: Element) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    public var entries: [Entry]

    @inlinable
    public init() { entries = [] }

    public subscript(key: String) -> Element? { entries.first { $0.key == key }?.value }

    @inlinable
    static func read(
        _ node: YAMLNode, _ reading: SpecReading, keys rule: StringRule?, minimum: Int, _ element: (YAMLNode, SpecReading) -> Element?
    ) -> SpecMap? {
        guard let written = reading.entries(of: node, minimum: minimum) else { return nil }
        var map = SpecMap()
        map.entries.reserveCapacity(written.count)
        for entry in written {
            reading.enter(entry.key)
            let isNamed = reading.accepts(entry, rule)
            if let value = element(entry.value, reading), isNamed {
                map.entries.append(Entry(key: entry.key, keyMark: entry.keyMark, value: value))
            }
            reading.leave()
        }
        return map.entries.count == written.count ? map : nil
    }
}

extension SpecReading {
    @usableFromInline
    func entries(of node: YAMLNode, minimum: Int) -> [YAMLMapping.Entry]? {
        guard let mapping = node.mapping else {
            report("expected a mapping, found \(node.sequence == nil ? "a single value" : "a list")", at: node.mark)
            return nil
        }
        if mapping.entries.count >= minimum { return mapping.entries }
        report("is empty; expected at least \(minimum) \(minimum == 1 ? "entry" : "entries")", at: node.mark)
        return nil
    }

    @usableFromInline
    func accepts(_ entry: YAMLMapping.Entry, _ rule: StringRule?) -> Bool {
        guard let rule, !rule.accepts(entry.key) else { return true }
        report("expected \(rule.hint)", at: entry.keyMark)
        return false
    }
}

extension SpecMap: Sendable where Element: Sendable {}
extension SpecMap.Entry: Sendable where Element: Sendable {}

extension SpecMap: SpecValue where Element: SpecValue {
    public static var schema: Schema { .map(keys: nil, Element.schema, minimum: 0) }
    public static var placeholder: SpecMap { SpecMap() }
    @inlinable
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> SpecMap? {
        read(node, reading, keys: nil, minimum: 0) { Element.read($0, $1) }
    }
}
