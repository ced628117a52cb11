typealias Mistake = MigrationFileErrors.Mistake

/// Which way a part of a migration leads.
enum Direction: Sendable, Hashable {
    case up, down
}

/// The text of one file, line by line: without its byte order mark, and whatever its line ends are.
struct SourceText: Sendable {
    var path: String
    var lines: [String]

    /// Nil when it is not UTF-8, and then the mistake is told.
    init?(_ source: MigrationSource, _ mistakes: inout [Mistake]) {
        path = source.path
        let bytes = source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(source.bytes.dropFirst(3)) : source.bytes
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let offset = error.byteOffsets.lowerBound
            let line = bytes[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
            mistakes.append(
                Mistake(
                    "NotUTF8", path: source.path, line: line,
                    "byte \(offset + source.bytes.count - bytes.count) is not UTF-8; save the file as UTF-8"))
            return nil
        }
        lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        if lines.count > 1, lines.last == "" { lines.removeLast() }
    }

    /// All of it as one script.
    func script(_ isTransactional: Bool? = nil) -> ScriptDraft {
        ScriptDraft(path: path, text: lines.joined(separator: "\n"), firstLine: 1, isTransactional: isTransactional)
    }

    /// - Parameter line: counted from 0.
    func mistake(_ reason: String, line: Int? = nil, column: Int? = nil, _ message: String) -> Mistake {
        Mistake(reason, path: path, line: line.map { $0 + 1 }, column: line.map { _ in column ?? 1 }, message)
    }
}

/// One direction as it stands in its file.
struct ScriptDraft: Sendable {
    var path: String
    var text: String
    /// Counted from 1.
    var firstLine: Int
    var isTransactional: Bool?
}

/// Which line of a file belongs to which direction. What belongs to none is left out of both.
struct Sections {
    let text: SourceText
    var directions: [Direction?]
    /// What the format's directives say of each.
    var isTransactional: [Direction: Bool] = [:]

    init(_ text: SourceText) {
        self.text = text
        directions = Array(repeating: nil, count: text.lines.count)
    }

    /// One script out of all sections of a direction. Blank lines stand for what lies between them, so that every line keeps its number.
    func script(_ direction: Direction) -> ScriptDraft? {
        guard let first = directions.firstIndex(of: direction), let last = directions.lastIndex(of: direction) else { return nil }
        let lines = (first...last).map { directions[$0] == direction ? text.lines[$0] : "" }
        return ScriptDraft(
            path: text.path, text: lines.joined(separator: "\n"), firstLine: first + 1, isTransactional: isTransactional[direction])
    }
}

extension StringProtocol {
    /// Split at blanks and tabs.
    var words: [String] {
        let parts: [SubSequence] = split { $0 == " " || $0 == "\t" }
        return parts.map { String($0) }
    }

    var trimmed: String {
        let head = drop { $0 == " " || $0 == "\t" }
        return String(head[..<(head.lastIndex { $0 != " " && $0 != "\t" }.map(head.index(after:)) ?? head.startIndex)])
    }

    /// A blank line, or one that is a comment from its beginning.
    var isBlankOrComment: Bool {
        let text = trimmed
        return text.isEmpty || text.hasPrefix("--")
    }

    /// What follows a prefix; nil where it is another.
    func after(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }

    func before(suffix: String) -> String? { hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil }

    var leadingDigits: String { String(prefix { $0.isASCII && $0.isNumber }) }
}
