public import JSONValues
public import YAMLReading

extension Duration: SpecValue {
    private static let units: [(name: String, milliseconds: Int64)] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]

    public static var schema: Schema { .duration }
    public static var placeholder: Duration { .zero }

    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> Duration? {
        let expected = "a duration such as 500ms, 30s, 2m or 1h30m"
        guard let text = reading.text(of: node, expecting: expected) else { return nil }
        if let duration = Duration(specText: text) { return duration }
        reading.report(node.double == nil ? "expected \(expected)" : "expected \(expected); a number needs its unit", at: node.mark)
        return nil
    }

    public var asWritten: JSON? { .string(specText) }

    /// Whole numbers with the units h, m, s and ms, each at most once and the greatest first; at most nine digits each.
    public init?(specText text: String) {
        var milliseconds: Int64 = 0
        var (number, digits): (Int64, Int) = (0, 0)
        var units = Self.units[...]
        var rest = text.utf8[...]
        while let byte = rest.first {
            if (0x30...0x39).contains(byte) {
                (number, digits) = (number * 10 + Int64(byte - 0x30), digits + 1)
                rest = rest.dropFirst()
                guard digits <= 9 else { return nil }
                continue
            }
            let name = rest.prefix { (0x61...0x7A).contains($0) }
            guard digits > 0, let place = units.firstIndex(where: { name.elementsEqual($0.name.utf8) }) else { return nil }
            milliseconds += number * units[place].milliseconds
            units = units[(place + 1)...]
            (number, digits) = (0, 0)
            rest = rest[name.endIndex...]
        }
        guard digits == 0, !text.isEmpty else { return nil }
        self = .milliseconds(milliseconds)
    }

    /// The shortest text that reads as this duration, without what is below a millisecond.
    public var specText: String {
        var left = components.seconds.multipliedReportingOverflow(by: 1000).partialValue + components.attoseconds / 1_000_000_000_000_000
        var text = ""
        for unit in Self.units where left >= unit.milliseconds {
            text += "\(left / unit.milliseconds)\(unit.name)"
            left %= unit.milliseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
