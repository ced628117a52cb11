/// Why a text is not JSON.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Bytes from the beginning.
    public var offset: Int
    public var message: String
    public var description: String { "not JSON at byte \(offset): \(message)" }
}

extension JSON {
    /// Reads one value and nothing behind it. Of two members with one name the last counts.
    /// - Parameter depth: how many arrays and objects may stand in each other.
    /// - Parameter names: of members that are left out, wherever they stand. What they hold must be JSON all the same.
    public init(parsing text: String, depth: Int = 256, without names: [String] = []) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), depth: depth, without: names)
    }

    public init(parsing bytes: [UInt8], depth: Int = 256, without names: [String] = []) throws(JSONError) {
        let result: Result<JSON, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, depthLeft: depth, leftOut: names.map { Array($0.utf8) })
            do throws(JSONError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        self = try result.get()
    }
}

struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    var depthLeft: Int
    let leftOut: [[UInt8]]

    init(bytes: UnsafeBufferPointer<UInt8>, depthLeft: Int, leftOut: [[UInt8]]) {
        self.bytes = bytes
        self.depthLeft = depthLeft
        self.leftOut = leftOut
    }

    mutating func document() throws(JSONError) -> JSON {
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("expected the end") }
        return result
    }

    func failure(_ message: String) -> JSONError { JSONError(offset: position, message: message) }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func value() throws(JSONError) -> JSON {
        skipSpace()
        guard let byte = next else { throw failure("the text ends too early") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("expected a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw failure("the text ends too early") }
        for index in 0..<count where bytes[position + index] != word.utf8Start[index] { throw failure("expected \(word)") }
        position += count
        return value
    }

    mutating func enter() throws(JSONError) {
        depthLeft -= 1
        guard depthLeft >= 0 else { throw failure("nested too deeply") }
        position += 1
        skipSpace()
    }

    private mutating func object() throws(JSONError) -> JSON {
        try enter()
        var members: [(key: String, value: JSON)] = []
        if next == UInt8(ascii: "}") {
            position += 1
            depthLeft += 1
            return .object(JSONObject())
        }
        members.reserveCapacity(6)  // Most objects have no more.
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            if isLeftOut {
                try skipString()
                try colon()
                try skip()
            } else {
                let key = try string()
                try colon()
                members.append((key, try value()))
            }
            skipSpace()
            if next == UInt8(ascii: ",") {
                position += 1
                continue
            }
            guard next == UInt8(ascii: "}") else { throw failure("expected , or }") }
            position += 1
            depthLeft += 1
            return .object(JSONObject(Self.lastOfEachName(members)))
        }
    }

    mutating func colon() throws(JSONError) {
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw failure("expected :") }
        position += 1
    }

    private static func lastOfEachName(_ members: [(key: String, value: JSON)]) -> [(key: String, value: JSON)] {
        guard hasRepeatedName(members) else { return members }
        var position: [String: Int] = [:]
        for (index, member) in members.enumerated() { position[member.key] = index }
        return members.enumerated().filter { position[$0.element.key] == $0.offset }.map(\.element)
    }

    private static func hasRepeatedName(_ members: [(key: String, value: JSON)]) -> Bool {
        // Most objects are small: comparing few names, first by length, is cheaper than hashing them.
        guard members.count <= 16 else { return Set(members.lazy.map(\.key)).count < members.count }
        for index in members.indices {
            let key = members[index].key
            for earlier in 0..<index where members[earlier].key.utf8.count == key.utf8.count && members[earlier].key == key { return true }
        }
        return false
    }

    private mutating func array() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        if next == UInt8(ascii: "]") {
            position += 1
            depthLeft += 1
            return .array([])
        }
        while true {
            elements.append(try value())
            skipSpace()
            if next == UInt8(ascii: ",") {
                position += 1
                continue
            }
            guard next == UInt8(ascii: "]") else { throw failure("expected , or ]") }
            position += 1
            depthLeft += 1
            return .array(elements)
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        if next == UInt8(ascii: "-") { position += 1 }
        guard isDigit(next) else { throw failure("expected a digit") }
        if next == UInt8(ascii: "0") {
            position += 1
            guard !isDigit(next) else { throw failure("a number does not begin with 0") }
        } else {
            while isDigit(next) { position += 1 }
        }
        if next == UInt8(ascii: ".") {
            position += 1
            guard isDigit(next) else { throw failure("expected a digit") }
            while isDigit(next) { position += 1 }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard isDigit(next) else { throw failure("expected a digit") }
            while isDigit(next) { position += 1 }
        }
        return .number(String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self))
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if next == UInt8(ascii: "\"") {
            let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
            position += 1
            return text
        }
        return try stringWithEscapes(from: start)
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while let byte = next {
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: text.append(byte)
            }
        }
        throw failure("a string without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw failure("a string without an end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(Character(try escapedScalar())).utf8)
        default:
            position -= 1
            throw failure("an unknown escape")
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let high = try hexDigits()
        if (0xD800...0xDBFF).contains(high), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            let before = position
            position += 2
            let low = try hexDigits()
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low & 0x3FF))
            if (0xDC00...0xDFFF).contains(low), let scalar { return scalar }
            position = before
        }
        return Unicode.Scalar(high) ?? "\u{FFFD}"
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count, let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
        else { throw failure("expected four hexadecimal digits") }
        position += 4
        return value
    }
}
