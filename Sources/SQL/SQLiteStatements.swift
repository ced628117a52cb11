internal import CSQLite

/// A statement of a SQLite script, and where it begins in UTF-8 bytes.
public struct SQLiteStatement: Sendable, Hashable {
    public var text: String
    public var offset: Int
}

/// The statements of a script, split as SQLite's own shell does: by `sqlite3_complete`, which needs no schema and knows triggers.
/// What stands behind the last semicolon is a statement too, unless it is blank.
///
/// Costs one look at the statement for every semicolon that stands in it outside of texts, names and comments.
public func sqliteStatements(of script: String) -> [SQLiteStatement] {
    // A zero byte would end the text for SQLite, which refuses it when it runs; here it is a character like others.
    let bytes = script.utf8.map { $0 == 0 ? UInt8(ascii: "?") : $0 }
    let original = Array(script.utf8)
    var statements: [SQLiteStatement] = []
    var start = 0
    for semicolon in semicolons(of: bytes) {
        let end = semicolon + 1
        let isComplete = (bytes[start..<end] + [0]).withUnsafeBufferPointer { text in
            text.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { sqlite3_complete($0) == 1 } ?? false }
        }
        guard isComplete else { continue }
        statements.append(SQLiteStatement(text: String(decoding: original[start..<end], as: UTF8.self), offset: start))
        start = end
    }
    if original[start...].contains(where: { $0 > 0x20 }) {
        statements.append(SQLiteStatement(text: String(decoding: original[start...], as: UTF8.self), offset: start))
    }
    return statements
}

/// Where semicolons stand outside of texts, quoted names and comments.
private func semicolons(of bytes: [UInt8]) -> [Int] {
    func end(of close: UInt8, from index: Int) -> Int { bytes[index...].firstIndex(of: close) ?? bytes.count }
    var found: [Int] = []
    var index = 0
    while index < bytes.count {
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0
        switch bytes[index] {
        case UInt8(ascii: ";"): found.append(index)
        // A doubled quotation mark ends one text and begins the next.
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): index = end(of: bytes[index], from: index + 1)
        case UInt8(ascii: "["): index = end(of: UInt8(ascii: "]"), from: index + 1)
        case UInt8(ascii: "-") where next == UInt8(ascii: "-"): index = end(of: UInt8(ascii: "\n"), from: index)
        case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
            index += 2
            while index + 1 < bytes.count, !(bytes[index] == UInt8(ascii: "*") && bytes[index + 1] == UInt8(ascii: "/")) { index += 1 }
            index += 1
        default: break
        }
        index += 1
    }
    return found
}
