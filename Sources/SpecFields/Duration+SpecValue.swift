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
        var rest = Substring(text)
        var milliseconds: Int64 = 0
        var units = Self.units[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { ("a"..."z").contains($0) }
            rest = rest.dropFirst(name.count)
            guard digits.count <= 9, let number = Int64(digits), let place = units.firstIndex(where: { $0.name == name }) else {
                return nil
            }
            milliseconds += number * units[place].milliseconds
            units = units[(place + 1)...]
        }
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
