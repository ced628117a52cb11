/// Writes a cast of an array as casts of its elements.
///
/// PostgreSQL prints `kind IN ('a', 'b')` on a `varchar` column as `ANY ((ARRAY['a'::character varying, …])::text[])`, and once a dump of
/// that was restored, as `ANY (ARRAY[('a'::character varying)::text, …])`. They mean the same.
enum ArrayCasts {
    static func spread(in text: String) -> String {
        guard text.contains("])::") else { return text }
        var bytes = Array(text.utf8)
        var from = 0
        let opening = Array("(ARRAY[".utf8)
        while let start = find(opening, in: bytes, from: from) {
            from = start + 1
            let inside = start + opening.count
            guard let (elements, end) = elements(of: bytes, from: inside) else { continue }
            // After `]` there has to be `)::type[]`.
            guard bytes[end...].starts(with: Array("])::".utf8)), let type = typeName(in: bytes, from: end + 4) else { continue }
            let cast = elements.map { Array("(".utf8) + bytes[$0] + Array(")::".utf8) + bytes[type] }
            let written = Array("ARRAY[".utf8) + Array(cast.joined(separator: Array(", ".utf8))) + Array("]".utf8)
            bytes.replaceSubrange(start..<(type.upperBound + 2), with: written)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func find(_ wanted: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
        guard bytes.count >= wanted.count, from <= bytes.count - wanted.count else { return nil }
        return (from...(bytes.count - wanted.count)).first { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
    }

    /// The elements up to the closing bracket, and where that is. Nothing for an empty array.
    private static func elements(of bytes: [UInt8], from: Int) -> ([Range<Int>], Int)? {
        var (depth, start, quote) = (0, from, UInt8(0))
        var found: [Range<Int>] = []
        for index in from..<bytes.count {
            let byte = bytes[index]
            // A doubled quotation mark ends the text and begins it anew, which is the same here.
            if quote != 0 {
                if byte == quote { quote = 0 }
                continue
            }
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]") where depth == 0:
                guard index > start else { return nil }
                return (found + [start..<index], index)
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                found.append(start..<index)
                start = min(index + 2, bytes.count)
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    /// The type's name in front of `[]`.
    private static func typeName(in bytes: [UInt8], from: Int) -> Range<Int>? {
        guard from < bytes.count, let end = find(Array("[]".utf8), in: bytes, from: from), end > from else { return nil }
        let name = bytes[from..<end]
        let isName = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "\""), UInt8(ascii: " "), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: ","), 0x80...:
                true
            default: false
            }
        }
        return isName ? from..<end : nil
    }
}
