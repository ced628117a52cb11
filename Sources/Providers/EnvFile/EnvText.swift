/// The text of an env file: where its keys and values stand.
///
/// The dialect is what a POSIX shell (`set -a; . ./.env`) and the dotenv packages of Node.js, Ruby and Go have in common. One assignment a
/// line, `KEY=value`, with or without `export` before it; the last one of a key counts. A value stands there plain; or in single quotes,
/// where everything is literal; or in double quotes. In quotes it may have several lines. A comment begins with `#`, on a line of its own or
/// after a blank. Lines end with LF or CRLF. Every other line is passed over, as dotenv does.
///
/// Where those readers do not agree, the value of a key is not known: `$`, a backtick or a backslash in double quotes, blanks around `=`, and
/// anything but letters, digits and `_./:@%+,=-?` without quotes.
struct EnvText {
    struct Assignment {
        var key: String
        /// Nil where readers do not agree on it.
        var value: String?
        /// The whole line, or lines, with its end.
        var lines: Range<Int>
        /// From behind the key to the end of the value.
        var body: Range<Int>
    }

    /// Why a text cannot be understood. Holds nothing of it.
    struct Flaw: Error, Equatable {
        /// Counted from 1.
        var line: Int
        var what: String
    }

    let bytes: [UInt8]
    private(set) var assignments: [Assignment] = []
    /// How its lines end.
    let newline: [UInt8]

    init(_ bytes: [UInt8]) throws(Flaw) {
        self.bytes = bytes
        let first = bytes.firstIndex(of: .lineFeed)
        newline = first.map { $0 > 0 && bytes[$0 - 1] == .carriageReturn } ?? false ? [.carriageReturn, .lineFeed] : [.lineFeed]
        try Self.check(bytes)
        var reader = Reader(bytes: bytes, position: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
        while reader.position < bytes.count {
            if let assignment = try reader.assignment() { assignments.append(assignment) }
        }
    }

    /// By key: what is set; nil where readers do not agree on it.
    var settings: [String: String?] {
        Dictionary(assignments.map { ($0.key, $0.value) }) { _, last in last }
    }

    private static func check(_ bytes: [UInt8]) throws(Flaw) {
        if String(validating: bytes, as: UTF8.self) == nil {
            for (index, line) in bytes.split(separator: .lineFeed, omittingEmptySubsequences: false).enumerated()
            where String(validating: line, as: UTF8.self) == nil {
                throw Flaw(line: index + 1, what: "it is not UTF-8")
            }
        }
        if let zero = bytes.firstIndex(of: 0) { throw Flaw(line: bytes[..<zero].lines + 1, what: "it holds a zero byte") }
    }
}

/// Reads line by line.
private struct Reader {
    let bytes: [UInt8]
    var position: Int

    private subscript(index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    /// What stands in the next line; nil when that is no assignment.
    mutating func assignment() throws(EnvText.Flaw) -> EnvText.Assignment? {
        let start = position
        var keyStart = afterBlanks(start)
        if bytes[keyStart...].starts(with: "export".utf8), self[keyStart + 6].map(\.isBlank) ?? false {
            keyStart = afterBlanks(keyStart + 6)
        }
        let keyEnd = bytes[keyStart...].firstIndex { !$0.isKey } ?? bytes.count
        let equals = afterBlanks(keyEnd)
        guard keyEnd > keyStart, self[equals] == UInt8(ascii: "=") else {
            position = endOfLine(from: keyStart)
            return nil
        }
        let valueStart = afterBlanks(equals + 1)
        var (value, end) = try self.value(at: valueStart, start)
        if equals > keyEnd || (valueStart > equals + 1 && end > valueStart) { value = nil }
        position = endOfLine(from: end)
        return EnvText.Assignment(
            key: String(decoding: bytes[keyStart..<keyEnd], as: UTF8.self), value: value, lines: start..<position,
            body: keyEnd..<max(end, equals + 1))
    }

    private func value(at start: Int, _ line: Int) throws(EnvText.Flaw) -> (String?, end: Int) {
        switch self[start] {
        case UInt8.singleQuote:
            guard let close = bytes[(start + 1)...].firstIndex(of: .singleQuote) else { throw flaw(start, "its quote ' is never closed") }
            let text = text(start + 1, close)
            return (try closed(close, text.isPortable(in: .singleQuote) ? text : nil), close + 1)
        case UInt8.doubleQuote:
            var close = start + 1
            while let byte = self[close], byte != .doubleQuote { close += byte == UInt8(ascii: "\\") ? 2 : 1 }
            guard self[close] != nil else { throw flaw(start, "its quote \" is never closed") }
            let text = text(start + 1, close)
            return (try closed(close, text.isPortable(in: .doubleQuote) ? text : nil), close + 1)
        default:
            var end = start
            let lineEnd = contentEnd(from: start)
            // A comment begins after a blank; `KEY= # none` has no value.
            while end < lineEnd, bytes[end] != UInt8(ascii: "#") || !bytes[end - 1].isBlank { end += 1 }
            while end > start, bytes[end - 1].isBlank { end -= 1 }
            let value = bytes[start..<end]
            return (value.allSatisfy(\.isPlain) ? String(decoding: value, as: UTF8.self) : nil, end)
        }
    }

    /// The value of a quoted text, once it is clear that nothing follows it.
    private func closed(_ quote: Int, _ value: String?) throws(EnvText.Flaw) -> String? {
        let next = afterBlanks(quote + 1)
        if next == contentEnd(from: next) { return value }
        guard self[next] == UInt8(ascii: "#") else { throw flaw(quote, "something follows the closing quote") }
        return next > quote + 1 ? value : nil
    }

    private func text(_ start: Int, _ end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self).replacing("\r\n", with: "\n")
    }

    private func afterBlanks(_ index: Int) -> Int {
        index < bytes.count ? bytes[index...].firstIndex { !$0.isBlank } ?? bytes.count : bytes.count
    }

    /// Behind the line's LF.
    private func endOfLine(from index: Int) -> Int {
        index < bytes.count ? bytes[index...].firstIndex(of: .lineFeed).map { $0 + 1 } ?? bytes.count : bytes.count
    }

    /// Before the line's LF or CRLF.
    private func contentEnd(from index: Int) -> Int {
        var end = endOfLine(from: index)
        if end > index, bytes[end - 1] == .lineFeed { end -= 1 }
        if end > index, bytes[end - 1] == .carriageReturn { end -= 1 }
        return end
    }

    private func flaw(_ index: Int, _ what: String) -> EnvText.Flaw { EnvText.Flaw(line: bytes[..<index].lines + 1, what: what) }
}

extension String {
    /// True if every reader of the dialect finds exactly this between two such quotes.
    func isPortable(in quote: UInt8) -> Bool {
        // A bare CR is an end of line for some.
        guard !utf8.contains(.carriageReturn), !utf8.contains(0), !utf8.contains(quote) else { return false }
        // Some take a backslash before the closing quote for an escape.
        guard quote == .doubleQuote else { return utf8.last != UInt8(ascii: "\\") }
        return !utf8.contains { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "`") || $0 == UInt8(ascii: "\\") }
    }
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")

    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    private var isLetterOrDigit: Bool { (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }

    /// What dotenv takes for a part of a key.
    fileprivate var isKey: Bool { isLetterOrDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".") }

    /// True if it means nothing but itself, without quotes and everywhere.
    var isPlain: Bool { isLetterOrDigit || "_./:@%+,=-?".utf8.contains(self) }
}

extension ArraySlice<UInt8> {
    fileprivate var lines: Int { count { $0 == .lineFeed } }
}
