extension JSON {
    /// Block YAML, two spaces a level. Strings that are more than a plain word are quoted.
    public var yaml: String {
        var text = ""
        writeBlock(into: &text, indent: 0)
        return text
    }

    private var isLeaf: Bool {
        switch self {
        case .object(let object): object.isEmpty
        case .array(let elements): elements.isEmpty
        default: true
        }
    }

    private func writeBlock(into text: inout String, indent: Int, firstLineIsIndented: Bool = false) {
        var isFirst = firstLineIsIndented
        func margin() -> String {
            defer { isFirst = false }
            return isFirst ? "" : String(repeating: " ", count: indent)
        }
        switch self {
        case .object(let object) where !object.isEmpty:
            for (key, value) in object.members {
                text += "\(margin())\(JSON.string(key).leaf):"
                if value.isLeaf {
                    text += " \(value.leaf)\n"
                } else {
                    text += "\n"
                    value.writeBlock(into: &text, indent: indent + 2)
                }
            }
        case .array(let elements) where !elements.isEmpty:
            for element in elements {
                text += "\(margin())- "
                if element.isLeaf {
                    text += "\(element.leaf)\n"
                } else {
                    element.writeBlock(into: &text, indent: indent + 2, firstLineIsIndented: true)
                }
            }
        default: text += "\(margin())\(leaf)\n"
        }
    }

    private var leaf: String {
        guard case .string(let string) = self, Self.isPlainWord(string) else { return description }
        return string
    }

    /// Letters, then letters, digits and `- . / _`: neither YAML 1.1 nor 1.2 takes such a word for anything but a string, with some exceptions.
    private static func isPlainWord(_ text: String) -> Bool {
        let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard let first = text.utf8.first, isLetter(first), !words.contains(text.lowercased()) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2D, 0x2E, 0x2F, 0x5F].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
}
