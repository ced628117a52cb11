/// What was changed in a script, short enough for a message: the first lines that were taken out and put in.
struct LineDifference: CustomStringConvertible {
    let description: String

    init(from old: String, to new: String, limit: Int = 4) {
        func lines(_ text: String) -> [String] {
            text.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" || $0 == "\r" }.joined(separator: " ") }.filter {
                !$0.isEmpty
            }
        }
        let changes = lines(new).difference(from: lines(old)).map { change in
            switch change {
            case .remove(let line, let text, _): (line: line, sign: "-", text: text)
            case .insert(let line, let text, _): (line: line, sign: "+", text: text)
            }
        }.sorted { ($0.line, $1.sign) < ($1.line, $0.sign) }
        let shown = changes.prefix(limit).map { "\($0.sign) \($0.text.prefix(80))" }
        let more = changes.count > limit ? ["and \(changes.count - limit) more lines"] : []
        description = (shown + more).joined(separator: "; ")
    }
}
