/// The words of a statement as SQLite keeps it, without comments, with one way of quoting and of writing.
///
/// `ALTER TABLE … RENAME` quotes names that had no quotes, and rebuilt tables are written anew: `"orders"`, `[orders]`, `` `orders` `` and
/// `ORDERS` are the same here.
struct SQLiteText {
    private(set) var words: [String] = []

    init(_ text: String) {
        var rest = Array(text.unicodeScalars)[...]
        while let first = rest.first {
            switch first {
            case _ where first.properties.isWhitespace: rest.removeFirst()
            case "-" where rest.dropFirst().first == "-": rest = rest.drop { $0 != "\n" }
            case "/" where rest.dropFirst().first == "*": rest = Self.afterComment(rest)
            case "'": words.append(Self.text(Self.quoted(&rest, until: "'"), around: "'"))
            case "\"", "`": words.append(Self.written(Self.quoted(&rest, until: first)))
            case "[": words.append(Self.written(Self.quoted(&rest, until: "]")))
            case _ where Self.isWord(first):
                let word = rest.prefix { Self.isWord($0) }
                words.append(String(String.UnicodeScalarView(word)).lowercased())
                rest = rest.dropFirst(word.count)
            default:
                // Operators of two characters are kept together: `a<=b` is not `a < = b`.
                let pair = String(String.UnicodeScalarView(rest.prefix(2)))
                let isPair = ["<=", ">=", "<>", "!=", "==", "||", "<<", ">>", "->"].contains(pair)
                words.append(isPair ? pair : String(first))
                rest = rest.dropFirst(isPair ? 2 : 1)
            }
        }
    }

    private init(words: some Sequence<String>) { self.words = Array(words) }

    /// All of it in one line.
    var canonical: String { words.joined(separator: " ") }

    var first: String? { words.first }

    func contains(_ word: String) -> Bool { words.contains(word) }

    /// The parts of `CREATE TABLE t (…)`, one a column or constraint.
    var tableBody: [SQLiteText] {
        guard let open = words.firstIndex(of: "("), let close = closing(open) else { return [] }
        return Self.split(words[(open + 1)..<close])
    }

    /// What follows the last `WHERE` that no parentheses surround.
    var condition: String {
        var depth = 0
        var place: Int?
        for (index, word) in words.enumerated() {
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            if depth == 0, word == "where" { place = index }
        }
        return place.map { words[($0 + 1)...].joined(separator: " ") } ?? ""
    }

    func word(after keyword: String) -> String? {
        words.firstIndex(of: keyword).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }

    func group(after keyword: String) -> String? { groups(after: keyword).first }

    /// The parenthesised texts that follow the word where no parentheses surround it.
    func groups(after keyword: String) -> [String] {
        var found: [String] = []
        var index = 0
        while index < words.count {
            if words[index] == "(", let close = closing(index) {
                if index > 0, words[index - 1] == keyword { found.append(words[index...close].joined(separator: " ")) }
                index = close
            }
            index += 1
        }
        return found
    }

    /// A name as it stands in a line: with quotation marks only where it needs them.
    static func written(_ name: String) -> String {
        let lowered = name.lowercased()
        let isPlain = lowered.unicodeScalars.allSatisfy { isWord($0) } && lowered.unicodeScalars.first?.properties.isDigit == false
        return isPlain ? lowered : text(name, around: "\"")
    }

    // MARK: - Private

    private func closing(_ open: Int) -> Int? {
        var depth = 0
        for index in open..<words.count {
            if words[index] == "(" { depth += 1 }
            if words[index] == ")" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    private static func split(_ words: ArraySlice<String>) -> [SQLiteText] {
        var (depth, parts): (Int, [[String]]) = (0, [[]])
        for word in words {
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            if word == ",", depth == 0 { parts.append([]) } else { parts[parts.count - 1].append(word) }
        }
        return parts.map { SQLiteText(words: $0) }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || scalar.value >= 0x80 || scalar.properties.isAlphabetic || scalar.properties.isDigit
    }

    private static func afterComment(_ text: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        var rest = text.dropFirst(2)
        while let first = rest.first {
            if first == "*", rest.dropFirst().first == "/" { return rest.dropFirst(2) }
            rest.removeFirst()
        }
        return rest
    }

    /// Takes a quoted text and returns what it says.
    private static func quoted(_ rest: inout ArraySlice<Unicode.Scalar>, until end: Unicode.Scalar) -> String {
        rest.removeFirst()
        var said = String.UnicodeScalarView()
        while let next = rest.popFirst() {
            if next != end {
                said.append(next)
            } else if end != "]", rest.first == end {
                rest.removeFirst()
                said.append(end)
            } else {
                break
            }
        }
        return String(said)
    }

    private static func text(_ said: String, around mark: String) -> String { mark + said.replacing(mark, with: mark + mark) + mark }
}

extension Unicode.Scalar.Properties {
    fileprivate var isDigit: Bool { numericType == .decimal }
}
