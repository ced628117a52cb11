extension JSON: CustomStringConvertible {
    /// One line without white space.
    public var description: String {
        var text: [UInt8] = []
        write(into: &text, indent: nil)
        return String(decoding: text, as: UTF8.self)
    }

    /// Two spaces a level, as `jq` prints it.
    public var pretty: String {
        var text: [UInt8] = []
        write(into: &text, indent: 0)
        return String(decoding: text, as: UTF8.self)
    }

    /// One line without white space, as UTF-8.
    public var bytes: [UInt8] {
        var text: [UInt8] = []
        write(into: &text, indent: nil)
        return text
    }

    /// One line in which the members of every object stand in the order of their names, and those that are null are missing: equal for
    /// values that say the same.
    public var canonicalBytes: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(1024)
        writeCanonical(into: &text)
        return text
    }

    private func writeCanonical(into text: inout [UInt8]) {
        switch self {
        case .object(let object):
            text.append(UInt8(ascii: "{"))
            let members = object.members
            // The members themselves are not moved about: their order is found for their numbers.
            var order = ContiguousArray<Int>()
            order.reserveCapacity(members.count)
            for index in members.indices {
                if case .null = members[index].value { continue }
                var place = order.count
                order.append(index)
                while place > 0, members[index].key < members[order[place - 1]].key {
                    order[place] = order[place - 1]
                    place -= 1
                }
                order[place] = index
            }
            for (number, index) in order.enumerated() {
                if number > 0 { text.append(UInt8(ascii: ",")) }
                Self.write(members[index].key, into: &text)
                text.append(UInt8(ascii: ":"))
                members[index].value.writeCanonical(into: &text)
            }
            text.append(UInt8(ascii: "}"))
        case .array(let elements):
            text.append(UInt8(ascii: "["))
            for (number, element) in elements.enumerated() {
                if number > 0 { text.append(UInt8(ascii: ",")) }
                element.writeCanonical(into: &text)
            }
            text.append(UInt8(ascii: "]"))
        default: write(into: &text, indent: nil)
        }
    }

    private func write(into text: inout [UInt8], indent: Int?) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .number(let digits): text += digits.utf8
        case .string(let value): Self.write(value, into: &text)
        case .array(let elements):
            Self.write(elements, between: ("[", "]"), into: &text, indent: indent) { element, text, indent in
                element.write(into: &text, indent: indent)
            }
        case .object(let object):
            Self.write(object.members, between: ("{", "}"), into: &text, indent: indent) { member, text, indent in
                Self.write(member.key, into: &text)
                text += (indent == nil ? ":" : ": ").utf8
                member.value.write(into: &text, indent: indent)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], between brackets: (String, String), into text: inout [UInt8], indent: Int?,
        item: (Item, inout [UInt8], Int?) -> Void
    ) {
        text += brackets.0.utf8
        guard !items.isEmpty else {
            text += brackets.1.utf8
            return
        }
        func newline(_ level: Int?) {
            guard let level else { return }
            text.append(0x0A)
            text += [UInt8](repeating: 0x20, count: level * 2)
        }
        for (index, value) in items.enumerated() {
            if index > 0 { text += ",".utf8 }
            newline(indent.map { $0 + 1 })
            item(value, &text, indent.map { $0 + 1 })
        }
        newline(indent)
        text += brackets.1.utf8
    }

    private static func write(_ value: String, into text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        defer { text.append(UInt8(ascii: "\"")) }
        let isPlain = value.utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else { return false }
            text.append(contentsOf: bytes)
            return true
        }
        if isPlain == true { return }
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""): text += #"\""#.utf8
            case UInt8(ascii: "\\"): text += #"\\"#.utf8
            case 0x0A: text += #"\n"#.utf8
            case 0x0D: text += #"\r"#.utf8
            case 0x09: text += #"\t"#.utf8
            case 0..<0x20:
                let hex = String(byte, radix: 16)
                text += (#"\u00"# + (hex.utf8.count == 1 ? "0" : "") + hex).utf8
            default: text.append(byte)
            }
        }
    }
}
