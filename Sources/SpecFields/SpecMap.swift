public import YAMLReading

/// A mapping whose keys the author chose, in the order of the file.
public struct SpecMap<Element> {
    public struct Entry {
        public var key: String
        public var keyMark: YAMLMark
        public var value: Element
    }

    public private(set) var entries: [Entry]

    public init() { entries = [] }

    public subscript(key: String) -> Element? { entries.first { $0.key == key }?.value }

    static func read(
        _ node: YAMLNode, _ reading: SpecReading, keys rule: StringRule?, minimum: Int, _ element: (YAMLNode, SpecReading) -> Element?
    ) -> SpecMap? {
        guard let mapping = node.mapping else {
            reading.report("expected a mapping, found \(node.sequence == nil ? "a single value" : "a list")", at: node.mark)
            return nil
        }
        guard mapping.entries.count >= minimum else {
            reading.report("is empty; expected at least \(minimum) \(minimum == 1 ? "entry" : "entries")", at: node.mark)
            return nil
        }
        var map = SpecMap()
        map.entries.reserveCapacity(mapping.entries.count)
        for entry in mapping.entries {
            reading.within(entry.key) {
                let isNamed = rule?.accepts(entry.key) ?? true
                if !isNamed, let rule { reading.report("expected \(rule.hint)", at: entry.keyMark) }
                guard let value = element(entry.value, reading), isNamed else { return }
                map.entries.append(Entry(key: entry.key, keyMark: entry.keyMark, value: value))
            }
        }
        return map.entries.count == mapping.entries.count ? map : nil
    }
}

extension SpecMap: Sendable where Element: Sendable {}
extension SpecMap.Entry: Sendable where Element: Sendable {}

extension SpecMap: SpecValue where Element: SpecValue {
    public static var schema: Schema { .map(keys: nil, Element.schema, minimum: 0) }
    public static var placeholder: SpecMap { SpecMap() }
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> SpecMap? {
        read(node, reading, keys: nil, minimum: 0) { Element.read($0, $1) }
    }
}
