/// One file, halved by `---- create above / drop below ----`.
enum TernFile {
    static let separator = "---- create above / drop below ----"
    static let withoutTransaction = "---- tern: disable-tx ----"

    static func sections(of text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        var sections = Sections(text)
        var current = Direction.up
        for (index, line) in text.lines.enumerated() {
            if line.trimmed == separator {
                if current == .down {
                    mistakes.append(text.mistake("SeveralDownSections", line: index, "a second \(separator); keep one"))
                }
                current = .down
            } else if line.trimmed == withoutTransaction {
                sections.isTransactional[current] = false
            } else {
                sections.directions[index] = current
                if let place = line.substitution(opening: "{{") {
                    mistakes.append(
                        text.mistake(
                            "TemplateNotSupported", line: index, column: place.column,
                            "{{\(place.name)}} is a Go template, which is not supported; write the SQL that it stands for"))
                }
            }
        }
        let empty = ScriptDraft(path: text.path, text: "", firstLine: 1, isTransactional: nil)
        return (sections.script(.up) ?? empty, sections.script(.down))
    }
}
