/// Two texts in unified form, as `diff -u` and `git diff` write it, with three lines around each change.
public struct UnifiedDifference: Sendable, Hashable {
    fileprivate enum Line: Hashable {
        case same(String)
        case removed(String)
        case added(String)
    }

    private let name: String
    private let lines: [Line]

    /// - Parameter name: of the file; stands in the heads.
    public init(from old: String, to new: String, name: String) {
        self.name = name
        let (before, after) = (Self.lines(old), Self.lines(new))
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if removed.contains(left) {
                lines.append(.removed(before[left]))
                left += 1
            } else if added.contains(right) {
                lines.append(.added(after[right]))
                right += 1
            } else {
                lines.append(.same(before[left]))
                left += 1
                right += 1
            }
        }
        self.lines = lines
    }

    /// Empty when the texts are the same; otherwise every line ends with a newline.
    public func text(_ style: TextStyle = .plain) -> String {
        let changed = lines.indices.filter { if case .same = lines[$0] { false } else { true } }
        guard !changed.isEmpty else { return "" }
        var hunks: [Range<Int>] = []
        for index in changed {
            let around = max(0, index - 3)..<min(lines.count, index + 4)
            if let last = hunks.last, last.upperBound >= around.lowerBound {
                hunks[hunks.count - 1] = last.lowerBound..<around.upperBound
            } else {
                hunks.append(around)
            }
        }
        let path = name.hasPrefix("/") ? String(name.dropFirst()) : name
        var text = style.bold("--- a/\(path)") + "\n" + style.bold("+++ b/\(path)") + "\n"
        for hunk in hunks {
            let before = lines[..<hunk.lowerBound]
            text += style.cyan("@@ -\(Self.range(before, lines[hunk], \.isOld)) +\(Self.range(before, lines[hunk], \.isNew)) @@") + "\n"
            for line in lines[hunk] {
                switch line {
                case .same(let line): text += " " + Self.shown(line)
                case .removed(let line): text += style.red("-" + Self.withoutEnd(line)) + "\n"
                case .added(let line): text += style.green("+" + Self.withoutEnd(line)) + "\n"
                }
            }
        }
        return text
    }

    private static func range(_ before: ArraySlice<Line>, _ hunk: ArraySlice<Line>, _ isIn: (Line) -> Bool) -> String {
        let count = hunk.count(where: isIn)
        let start = before.count(where: isIn) + (count == 0 ? 0 : 1)
        return count == 1 ? "\(start)" : "\(start),\(count)"
    }

    /// The lines with their ends; those of Windows are kept, so that a change of one shows.
    private static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        for byte in text.utf8 {
            line.append(byte)
            if byte == 0x0A {
                lines.append(String(decoding: line, as: UTF8.self))
                line = []
            }
        }
        if !line.isEmpty { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    /// By bytes: a line end of Windows is one character.
    private static func withoutEnd(_ line: String) -> String { String(decoding: shown(line).utf8.dropLast(), as: UTF8.self) }

    private static func shown(_ line: String) -> String {
        line.utf8.last == 0x0A ? line : line + "\n\\ No newline at end of file\n"
    }
}

extension UnifiedDifference.Line {
    fileprivate var isOld: Bool { if case .added = self { false } else { true } }
    fileprivate var isNew: Bool { if case .removed = self { false } else { true } }
}
