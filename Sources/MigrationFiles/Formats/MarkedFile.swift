/// One file with `-- UP MIGRATION` and `-- DOWN MIGRATION`: contract migrations.md §1.0. Markers count at the beginning of a line only, in any
/// case, behind any number of blanks, hyphens and equals signs.
enum MarkedFile {
    /// The up marker may be left out; the down part comes last.
    static func runbook(_ text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        let markers = markers(of: text, signs: "-=")
        refuseRepeated(markers, text, &mistakes)
        let down = markers.first { $0.direction == .down }?.line ?? text.lines.count
        if let up = markers.first(where: { $0.direction == .up && $0.line > down }) {
            mistakes.append(
                text.mistake("UpAfterDown", line: up.line, "the up part comes before the down part in this format; move it to the front"))
        }
        var sections = Sections(text)
        // What stands in front of the up marker belongs to the up part as well: the format's own manager runs it.
        let up = markers.first { $0.direction == .up && $0.line < down }?.line
        let head = up.map { text.lines[..<$0].allSatisfy(\.isBlankOrComment) ? $0 + 1 : 0 } ?? 0
        for line in head..<max(head, down) where line != up { sections.directions[line] = .up }
        for line in min(down + 1, text.lines.count)..<text.lines.count { sections.directions[line] = .down }
        return (sections.script(.up) ?? empty(text), sections.script(.down))
    }

    /// Either part may come first. Without any marker all of it is the up part.
    static func nodePgMigrate(_ text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        let markers = markers(of: text, signs: "-")
        guard let first = markers.first else { return (text.script(), nil) }
        refuseRepeated(markers, text, &mistakes)
        if !markers.contains(where: { $0.direction == .up }) {
            mistakes.append(
                text.mistake(
                    "MissingUp", line: first.line,
                    "without -- Up Migration the format's own tool would run the down part on the way up; write it above the up part"))
        }
        if let line = text.lines[..<first.line].firstIndex(where: { !$0.isBlankOrComment }) {
            mistakes.append(
                text.mistake("StatementBeforeMarker", line: line, "what stands above the first marker is never run; move it below one"))
        }
        var sections = Sections(text)
        for (marker, next) in zip(markers, markers.dropFirst().map(\.line) + [text.lines.count]) {
            for line in (marker.line + 1)..<next { sections.directions[line] = marker.direction }
        }
        return (sections.script(.up) ?? empty(text), sections.script(.down))
    }

    private static func empty(_ text: SourceText) -> ScriptDraft {
        ScriptDraft(path: text.path, text: "", firstLine: 1, isTransactional: nil)
    }

    private static func refuseRepeated(_ markers: [Marker], _ text: SourceText, _ mistakes: inout [Mistake]) {
        for (direction, word) in [(Direction.up, "UP"), (.down, "DOWN")] {
            let found = markers.filter { $0.direction == direction }
            guard let first = found.first else { continue }
            for marker in found.dropFirst() {
                mistakes.append(
                    text.mistake(
                        "Several\(direction == .up ? "Up" : "Down")Sections", line: marker.line,
                        "a second \(word) MIGRATION marker, the first is in line \(first.line + 1); keep one,"
                            + " and let no other comment begin with these words"))
            }
        }
    }

    struct Marker {
        var direction: Direction
        /// Counted from 0.
        var line: Int
    }

    static func markers(of text: SourceText, signs: String) -> [Marker] {
        text.lines.indices.compactMap { index in
            direction(of: text.lines[index], signs: signs).map { Marker(direction: $0, line: index) }
        }
    }

    /// `^\s*--[\s\-=]*(UP|DOWN)\s+MIGRATION\b`
    static func direction(of line: String, signs: String) -> Direction? {
        guard let comment = line.trimmed.after("--") else { return nil }
        let text = comment.drop { $0 == " " || $0 == "\t" || signs.contains($0) }
        let words = text.words
        guard words.count >= 2, words[1].lowercased().hasPrefix("migration"),
            words[1].dropFirst(9).first.map({ !($0.isLetter || $0.isNumber || $0 == "_") }) ?? true
        else { return nil }
        switch words[0].lowercased() {
        case "up": return .up
        case "down": return .down
        default: return nil
        }
    }
}
