/// What a node means by the rules of the YAML 1.2 core schema.
public enum YAMLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    /// Integers that do not fit into `Int` are here too.
    case float(Double)
    case string(String)
    case sequence([YAMLValue])
    case mapping([(key: String, value: YAMLValue)])

    public static func == (left: YAMLValue, right: YAMLValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.float(let left), .float(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.sequence(let left), .sequence(let right)): left == right
        case (.mapping(let left), .mapping(let right)): left.elementsEqual(right) { $0 == $1 }
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .sequence(let values): hasher.combine(values)
        case .mapping(let entries): for entry in entries { hasher.combine(entry.key) }
        }
    }
}

extension YAMLNode {
    private static let core = "tag:yaml.org,2002:"

    /// The node by the rules of the YAML 1.2 core schema: `yes`, `on` and `1:30` are strings, `0o17` and `0x1F` integers. Only plain
    /// scalars are resolved; `!!str` keeps one a string, any other tag is not looked at.
    public var value: YAMLValue {
        switch content {
        case .scalar(let text, .plain) where tag != Self.core + "str": Self.resolve(text)
        case .scalar(let text, _): .string(text)
        case .sequence(let items): .sequence(items.map(\.value))
        case .mapping(let mapping): .mapping(mapping.entries.map { ($0.key, $0.value.value) })
        }
    }

    /// Whether nothing was written, or `null` or `~` without quotes.
    public var isNull: Bool {
        guard case .scalar(let text, .plain) = content, tag != Self.core + "str" else { return false }
        return Self.isNull(text)
    }

    /// `true` or `false`; nil for anything else, `yes` and `on` included.
    public var bool: Bool? {
        guard case .bool(let value) = value else { return nil }
        return value
    }

    public var int: Int? {
        guard case .int(let value) = value else { return nil }
        return value
    }

    /// A number with or without a fraction.
    public var double: Double? {
        switch value {
        case .int(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }

    private static func isNull(_ text: String) -> Bool {
        switch text.utf8.count {
        case 0: true
        case 1: text == "~"
        case 4: text == "null" || text == "Null" || text == "NULL"
        default: false
        }
    }

    private static func resolve(_ text: String) -> YAMLValue {
        // What a scalar can be shows in its first character: most are strings and need no other look.
        guard let first = text.utf8.first else { return .null }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return number(text) ?? .string(text)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): return special(text) ?? number(text) ?? .string(text)
        case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "~"): return isNull(text) ? .null : .string(text)
        case UInt8(ascii: "t"), UInt8(ascii: "T"): return text == "true" || text == "True" || text == "TRUE" ? .bool(true) : .string(text)
        case UInt8(ascii: "f"), UInt8(ascii: "F"):
            return text == "false" || text == "False" || text == "FALSE" ? .bool(false) : .string(text)
        default: return .string(text)
        }
    }

    private static func special(_ text: String) -> YAMLValue? {
        switch text {
        case ".nan", ".NaN", ".NAN": .float(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": .float(-.infinity)
        default: nil
        }
    }

    private static func number(_ text: String) -> YAMLValue? {
        if text.hasPrefix("0x") { return unsigned(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return unsigned(text.dropFirst(2), radix: 8) }
        var rest = Substring(text).utf8
        func digits() -> Int {
            let run = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(run)
            return run
        }
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = digits()
        if whole > 0, rest.isEmpty { return Int(text).map(YAMLValue.int) ?? Double(text).map(YAMLValue.float) }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() + whole > 0 else { return nil }
        } else if whole == 0 {
            return nil
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard digits() > 0 else { return nil }
        }
        return rest.isEmpty ? Double(text).map(YAMLValue.float) : nil
    }

    private static func unsigned(_ digits: Substring, radix: Int) -> YAMLValue? {
        // `Int` would take a sign, and `0x-1` is a string.
        guard let first = digits.first, first.isHexDigit else { return nil }
        return Int(digits, radix: radix).map(YAMLValue.int)
    }
}
