public import JSONValues
public import YAMLReading

/// A type that can stand in a field of a spec.
public protocol SpecValue: SendableMetatype {
    static var schema: Schema { get }
    /// Stands for a value that could not be read, and while a schema is made. It never leaves a document without a diagnostic.
    static var placeholder: Self { get }
    /// Reads a value; nil means that at least one mistake was reported.
    static func read(_ node: YAMLNode, _ reading: SpecReading) -> Self?
    /// The value as an author writes it, to be shown as a default; nil when there is nothing worth showing.
    var asWritten: JSON? { get }
}

extension SpecValue {
    public var asWritten: JSON? { nil }
}

extension String: SpecValue {
    public static var schema: Schema { .string(pattern: nil, hint: nil) }
    public static var placeholder: String { "" }
    /// Any scalar but an empty one, as it was written: `1.10`, `on` and `0x1F` are strings here.
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> String? { reading.text(of: node, expecting: "a string") }
    public var asWritten: JSON? { .string(self) }
}

extension Bool: SpecValue {
    public static var schema: Schema { .boolean }
    public static var placeholder: Bool { false }
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> Bool? {
        guard let text = reading.text(of: node, expecting: "true or false") else { return nil }
        if let value = node.bool { return value }
        switch text.lowercased() {
        case "true", "false": reading.report("expected true or false without quotes", at: node.mark)
        case "yes", "on", "y": reading.report("expected true or false; in YAML 1.2 \(text) is a string: write true", at: node.mark)
        case "no", "off", "n": reading.report("expected true or false; in YAML 1.2 \(text) is a string: write false", at: node.mark)
        default: reading.report("expected true or false", at: node.mark)
        }
        return nil
    }
    public var asWritten: JSON? { .bool(self) }
}

extension Int: SpecValue {
    public static var schema: Schema { .integer(nil) }
    public static var placeholder: Int { 0 }
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> Int? { read(node, reading, expecting: "a whole number") }
    public var asWritten: JSON? { .integer(self) }

    static func read(_ node: YAMLNode, _ reading: SpecReading, expecting expected: String) -> Int? {
        guard reading.text(of: node, expecting: expected) != nil else { return nil }
        guard let value = node.int else {
            reading.report("expected \(expected)", at: node.mark)
            return nil
        }
        return value
    }
}

extension Array: SpecValue where Element: SpecValue {
    public static var schema: Schema { .list(Element.schema, minimum: 0) }
    public static var placeholder: [Element] { [] }
    @inlinable
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> [Element]? {
        readList(node, reading) { Element.read($0, $1) }
    }
    public var asWritten: JSON? {
        let written = compactMap(\.asWritten)
        return written.count == count && !isEmpty ? .array(written) : nil
    }
}

extension Array {
    @inlinable
    static func readList(_ node: YAMLNode, _ reading: SpecReading, _ element: (YAMLNode, SpecReading) -> Element?) -> [Element]? {
        guard let items = reading.items(of: node) else { return nil }
        var values: [Element] = []
        values.reserveCapacity(items.count)
        for index in items.indices {
            reading.enter(index)
            if let value = element(items[index], reading) { values.append(value) }
            reading.leave()
        }
        return values.count == items.count ? values : nil
    }
}

extension SpecReading {
    @usableFromInline
    func items(of node: YAMLNode) -> [YAMLNode]? {
        if let items = node.sequence { return items }
        report("expected a list, found \(node.mapping == nil ? "a single value; begin it with '- '" : "a mapping")", at: node.mark)
        return nil
    }
}
