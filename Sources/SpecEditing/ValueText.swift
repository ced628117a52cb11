import YAMLReading

extension EditedValue {
    /// How the value may be written on one line, the best way first.
    ///
    /// - Parameter style: of the value that stood there; its quotes are kept.
    func texts(like style: YAMLScalarStyle? = nil) -> [String] {
        switch self {
        case .bool(let value): [value ? "true" : "false"]
        case .integer(let value): [String(value)]
        case .text(let text): Self.texts(text, like: style)
        case .mapping(let entries):
            // Plain where that is possible; then everything in quotes.
            [0, 1].map { preference in
                let parts = entries.map { entry in
                    "\(Self.pick(Self.texts(entry.key), preference)): \(Self.pick(entry.value.texts(), preference))"
                }
                return "{\(parts.joined(separator: ", "))}"
            }
        }
    }

    /// How a key may be written.
    static func keyText(_ key: String) -> String { texts(key)[0] }

    private static func pick(_ texts: [String], _ preference: Int) -> String { texts[min(preference, texts.count - 1)] }

    private static func texts(_ text: String, like style: YAMLScalarStyle? = nil) -> [String] {
        let double = doubleQuoted(text)
        switch style {
        case .doubleQuoted: return [double]
        case .singleQuoted: return isPrintable(text) ? ["'" + text.replacing("'", with: "''") + "'", double] : [double]
        default: return isPlain(text) ? [text, double] : [double]
        }
    }

    /// True if no reader, of YAML 1.1 or 1.2, takes the text without quotes for anything but itself.
    static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isWord(first), last != UInt8(ascii: ":") else { return false }
        guard text.utf8.allSatisfy({ isWord($0) || "./@+:~-^=".utf8.contains($0) }) else { return false }
        let lower = text.lowercased()
        if ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(lower) { return false }
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return true }
        // Numbers in every notation, times in base 60, dates: whatever begins with a digit and holds nothing else than these may be one.
        if lower.hasPrefix("0x"), lower.dropFirst(2).allSatisfy({ $0.isHexDigit || $0 == "_" }) { return false }
        if lower.hasPrefix("0o") || lower.hasPrefix("0b") { return false }
        let signs = lower.contains("-") ? "._:-+et" : "._:+e"
        return !lower.utf8.allSatisfy { (0x30...0x39).contains($0) || signs.utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }

    private static func isPrintable(_ text: String) -> Bool { text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }

    private static func doubleQuoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || [0x2028, 0x2029, 0xFEFF].contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
