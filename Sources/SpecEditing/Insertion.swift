import YAMLReading

/// A key that is put beside the others of a mapping.
struct Insertion {
    let key: String
    /// Keys below it that are made with it.
    let rest: ArraySlice<String>
    let value: EditedValue
    let parent: YAMLOutline.Node
    let siblings: [YAMLOutline.Entry]
    let lines: Lines

    /// Lines of its own behind the last of the siblings, with their indentation; where that cannot be, before the first.
    func inBlock(step: Int) -> [Splicing] {
        guard let first = siblings.first, let last = siblings.last else { return [] }
        let indent = String(repeating: " ", count: lines.column(first.keyRange.lowerBound))
        let end = lines.end(last.value.range.upperBound)
        let lineBreak = lines.lineBreak(last.keyRange.lowerBound)
        var head = indent + EditedValue.keyText(key) + ":"
        for (level, key) in rest.enumerated() {
            head += lineBreak + indent + String(repeating: " ", count: step * (level + 1)) + EditedValue.keyText(key) + ":"
        }
        return value.texts().flatMap { text in
            [
                Splicing(Splice(at: end, lineBreak + head + " " + text)),
                Splicing(Splice(at: lines.start(first.keyRange.lowerBound), head + " " + text + lineBreak)),
            ]
        }
    }

    /// Behind the last of the siblings, in a line of its own if they have theirs.
    func inFlow() -> [Splicing] {
        let texts = value.below(rest).texts().map { "\(EditedValue.keyText(key)): \($0)" }
        guard let last = siblings.last else {
            // Behind the brace; an anchor or a tag may stand before it.
            guard let brace = lines.bytes[parent.range].lastIndex(of: UInt8(ascii: "{")) else { return [] }
            return texts.map { Splicing(Splice(at: brace + 1, $0)) }
        }
        let end = last.value.range.upperBound
        let behind = lines.skippingBlanks(end)
        let hasComma = behind < lines.bytes.count && lines.bytes[behind] == UInt8(ascii: ",")
        let hasOwnLine = lines.isFirst(last.keyRange.lowerBound) && parent.range.upperBound > lines.end(end)
        guard hasOwnLine else { return texts.map { Splicing(Splice(at: end, ", " + $0)) } }
        let indent = String(repeating: " ", count: lines.column(last.keyRange.lowerBound))
        let line = lines.lineBreak(end) + indent
        return texts.map { text in
            let own = Splice(at: lines.end(end), line + text + (hasComma ? "," : ""))
            // The comma goes before a comment of the last one's line.
            return hasComma ? Splicing(own) : Splicing(Splice(at: end, ","), own)
        }
    }
}
