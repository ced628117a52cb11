import JSONValues

/// Finds and replaces members in a JSON text, so that everything else stays as it was written, byte for byte.
///
/// Only for a text that has been read as JSON before: nothing is checked again.
struct JSONPlace {
    private(set) var bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Sets the member of an object that stands in the outermost one; nil when there is no such object.
    func setting(_ value: JSON, at key: String, in parent: String) -> String? {
        guard let outer = Self.skippingSpace(bytes, 0), let object = member(parent, ofObjectAt: outer)?.value.lowerBound,
            bytes[object] == UInt8(ascii: "{")
        else { return nil }
        var result = bytes
        if let found = member(key, ofObjectAt: object) {
            let text = written(value, at: lineIndent(before: found.key))
            result.replaceSubrange(found.value, with: text)
        } else if let last = lastMember(ofObjectAt: object) {
            // The new member is set off from the last one as that is from what stands before it.
            let space = bytes[..<last.key].reversed().prefix { Self.isSpace($0) }.reversed()
            let text = Array(JSON.string(key).bytes) + (isOnOneLine ? ":" : ": ").utf8 + written(value, at: lineIndent(before: last.key))
            result.replaceSubrange(last.value.upperBound..<last.value.upperBound, with: Array(",".utf8) + space + text)
        } else {
            let end = Self.skippingSpace(bytes, object + 1) ?? object + 1
            let indent = lineIndent(before: object)
            let inner = indent + unit
            let name = Array(JSON.string(key).bytes)
            let text =
                isOnOneLine
                ? name + ":".utf8 + written(value, at: [])
                : [0x0A] + inner + name + ": ".utf8 + written(value, at: inner) + [0x0A] + indent
            result.replaceSubrange(object + 1..<end, with: text)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private var isOnOneLine: Bool { !bytes.dropLast().contains(0x0A) }

    /// What one level is indented by: as the first line that is indented at all.
    private var unit: [UInt8] {
        guard let line = bytes.split(separator: 0x0A).first(where: { $0.first.map(Self.isSpace) ?? false }) else { return [0x20, 0x20] }
        return Array(line.prefix { $0 == 0x20 || $0 == 0x09 })
    }

    private func written(_ value: JSON, at indent: [UInt8]) -> [UInt8] {
        guard !isOnOneLine else { return value.bytes }
        let unit = unit
        return Array(
            Array(value.pretty.utf8).split(separator: 0x0A).enumerated().map { number, line -> [UInt8] in
                let levels = line.prefix { $0 == 0x20 }.count / 2
                return number == 0 ? Array(line) : indent + Array(repeating: unit, count: levels).joined() + line.drop { $0 == 0x20 }
            }.joined(separator: [0x0A]))
    }

    private func lineIndent(before position: Int) -> [UInt8] {
        let start = bytes[..<position].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return Array(bytes[start..<position].prefix { $0 == 0x20 || $0 == 0x09 })
    }

    // MARK: - Finding

    private typealias Member = (key: Int, value: Range<Int>)

    /// Of two members with one name the last counts.
    private func member(_ name: String, ofObjectAt start: Int) -> Member? {
        var found: Member?
        forEachMember(ofObjectAt: start) { key, member in if key == name { found = member } }
        return found
    }

    private func lastMember(ofObjectAt start: Int) -> Member? {
        var found: Member?
        forEachMember(ofObjectAt: start) { _, member in found = member }
        return found
    }

    private func forEachMember(ofObjectAt start: Int, _ body: (String, Member) -> Void) {
        var position = start + 1
        while let key = Self.skippingSpace(bytes, position), bytes[key] == UInt8(ascii: "\"") {
            let keyEnd = end(ofValueAt: key)
            guard let colon = Self.skippingSpace(bytes, keyEnd), let value = Self.skippingSpace(bytes, colon + 1) else { return }
            let valueEnd = end(ofValueAt: value)
            if case .string(let name)? = try? JSON(parsing: Array(bytes[key..<keyEnd])) {  // It is a string: it has been read before.
                body(name, (key, value..<valueEnd))
            }
            guard let next = Self.skippingSpace(bytes, valueEnd), bytes[next] == UInt8(ascii: ",") else { return }
            position = next + 1
        }
    }

    private func end(ofValueAt start: Int) -> Int {
        var depth = 0
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return position }
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { return position }
                position += 1
                continue
            case let byte where Self.isSpace(byte):
                guard depth > 0 else { return position }
                position += 1
                continue
            default:
                position += 1
                continue
            }
            if depth == 0 { return min(position, bytes.count) }
        }
        return bytes.count
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private static func skippingSpace(_ bytes: [UInt8], _ start: Int) -> Int? {
        var position = start
        while position < bytes.count, isSpace(bytes[position]) { position += 1 }
        return position < bytes.count ? position : nil
    }
}
