import YAMLReading

/// Where in a text an edit takes place.
struct EditPlace {
    let edit: SpecEdit
    let document: YAMLOutline.Node
    let lines: Lines
    /// The nodes on the way, the document first, as far as they are there.
    private(set) var nodes: [YAMLOutline.Node]
    /// The entries that lead from each node to the next.
    private(set) var entries: [YAMLOutline.Entry] = []

    init(_ edit: SpecEdit, in document: YAMLOutline.Node, of bytes: [UInt8]) {
        self.edit = edit
        self.document = document
        lines = Lines(bytes: bytes)
        nodes = [document]
        for key in edit.path {
            guard let entry = nodes[nodes.count - 1].entries.first(where: { $0.key == key }) else { break }
            entries.append(entry)
            nodes.append(entry.value)
        }
    }

    var mark: YAMLMark { entries.last?.keyMark ?? document.mark }
    private var isComplete: Bool { entries.count == edit.path.count }

    /// The ways to make the change, the best first.
    func candidates() throws(SpecEditError) -> [Splicing] {
        try refuseAliases()
        switch edit.change {
        case .remove: return removals()
        case .set(let value) where isComplete:
            return replacements(of: entries[entries.count - 1], with: value)
        case .set(let value):
            let rest = edit.path[entries.count...]
            guard let last = nodes.last, let key = rest.first else { return [] }
            if case .mapping(let siblings, let isFlow) = last.kind {
                let value = Insertion(key: key, rest: rest.dropFirst(), value: value, parent: last, siblings: siblings, lines: lines)
                return isFlow ? value.inFlow() : value.inBlock(step: step)
            }
            guard let entry = entries.last, case .scalar = last.kind, isNothing(last) else {
                throw SpecEditError(
                    .notMapping, at: last.mark,
                    "\(edit.path.prefix(entries.count).joined(separator: ".")) is no mapping, so that it cannot hold \(key)")
            }
            return replacements(of: entry, with: value.below(rest))
        }
    }

    // MARK: - What is shared

    /// An alias stands for a value elsewhere, and an anchored value stands in several places: neither is changed in passing.
    private func refuseAliases() throws(SpecEditError) {
        var aliases: [String: [Int]] = [:]
        document.collectAliases(into: &aliases)
        for (index, node) in nodes.enumerated() {
            let place = edit.path.prefix(index).joined(separator: ".")
            if case .alias(let name) = node.kind {
                let origin = document.line(ofAnchor: name).map { " (line \($0))" } ?? ""
                throw SpecEditError(
                    .alias, at: node.mark,
                    "\(place) is the alias *\(name) of a value that stands elsewhere\(origin); write the value out here, or change it there by hand"
                )
            }
            if let name = node.anchor, let users = aliases[name] {
                let others = users.map(String.init).joined(separator: ", ")
                throw SpecEditError(
                    .alias, at: node.mark,
                    "\(place.isEmpty ? "the document" : place) is anchored as &\(name), and *\(name) in line \(others) would change with it; write the value out there first"
                )
            }
        }
    }

    /// True if the scalar is empty, `~` or `null`.
    private func isNothing(_ node: YAMLOutline.Node) -> Bool {
        guard case .scalar(.plain) = node.kind else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(
            String(decoding: lines.bytes[contentStart(node)..<node.range.upperBound], as: UTF8.self))
    }

    /// How many columns each level of this document is indented.
    private var step: Int {
        let outer = document.entries.first { entry in
            guard case .mapping(let inner, isFlow: false) = entry.value.kind else { return false }
            return !inner.isEmpty
        }
        guard let outer, let inner = outer.value.entries.first else { return 2 }
        return max(1, lines.column(inner.keyRange.lowerBound) - lines.column(outer.keyRange.lowerBound))
    }

    // MARK: - Replacing

    /// Behind the anchor and the tag of a node.
    private func contentStart(_ node: YAMLOutline.Node) -> Int {
        var place = node.range.lowerBound
        guard node.hasProperties else { return place }
        while place < node.range.upperBound, [UInt8(ascii: "&"), UInt8(ascii: "!")].contains(lines.bytes[place]) {
            while place < node.range.upperBound, ![0x20, 0x09, 0x0A, 0x0D].contains(lines.bytes[place]) { place += 1 }
            let behind = place
            while place < node.range.upperBound, [0x20, 0x09, 0x0A, 0x0D].contains(lines.bytes[place]) { place += 1 }
            if place == node.range.upperBound { return behind }
        }
        return place
    }

    private func replacements(of entry: YAMLOutline.Entry, with value: EditedValue) -> [Splicing] {
        let node = entry.value
        let start = contentStart(node)
        let end = node.range.upperBound
        switch node.kind {
        case .alias: return []
        case .scalar(let style) where style == .literal || style == .folded:
            let header = lines.end(start)
            var indicator = start
            while indicator < header, ![0x20, 0x09].contains(lines.bytes[indicator]) { indicator += 1 }
            return value.texts(like: style).map { text in
                var splicing = Splicing(Splice(start..<indicator, text))
                if end > header { splicing.parts.append(Splice(header..<lines.end(end), "")) }
                return splicing
            }
        case .scalar(let style):
            guard start < end else {
                // Nothing is written: behind the colon, or, in `{key}`, behind the key.
                return value.texts().flatMap { [Splicing(Splice(at: start, " " + $0)), Splicing(Splice(at: start, ": " + $0))] }
            }
            return value.texts(like: style).map { Splicing(Splice(start..<end, $0)) }
        case .sequence(_, isFlow: true), .mapping(_, isFlow: true):
            return value.texts().map { Splicing(Splice(start..<end, $0)) }
        case .sequence, .mapping:
            // The value takes the place behind the colon, a comment there stays, and the lines of the old one go.
            var behind = lines.skippingBlanks(entry.keyRange.upperBound)
            guard behind < lines.bytes.count, lines.bytes[behind] == UInt8(ascii: ":") else { return [] }
            behind += 1
            let lineEnd = lines.end(behind)
            if node.hasProperties {
                behind = node.range.lowerBound
                while behind < lineEnd, ![0x20, 0x09].contains(lines.bytes[behind]) { behind += 1 }
            }
            return value.texts().map { Splicing(Splice(at: behind, " " + $0), Splice(lineEnd..<lines.end(end), "")) }
        }
    }

    // MARK: - Removing

    private func removals() -> [Splicing] {
        guard isComplete, let entry = entries.last else { return [] }
        let parent = nodes[nodes.count - 2]
        guard case .mapping(let siblings, let isFlow) = parent.kind else { return [] }
        guard isFlow else {
            if siblings.count == 1 {
                return entries.count == 1 ? [] : replacements(of: entries[entries.count - 2], with: .mapping([]))
            }
            return [Splicing(Splice(lineRange(of: entry), ""))]
        }
        let (start, end) = (entry.keyRange.lowerBound, entry.value.range.upperBound)
        var behind = lines.skippingBlanks(end)
        let hasComma = behind < lines.bytes.count && lines.bytes[behind] == UInt8(ascii: ",")
        if hasComma { behind = lines.skippingBlanks(behind + 1) }
        if lines.isFirst(start), behind == lines.end(end) || lines.bytes[behind] == UInt8(ascii: "#") {
            return [Splicing(Splice(lineRange(of: entry), ""))]
        }
        if hasComma { return [Splicing(Splice(start..<behind, ""))] }
        let index = siblings.firstIndex { $0.keyRange == entry.keyRange } ?? 0
        return [Splicing(Splice((index > 0 ? siblings[index - 1].value.range.upperBound : start)..<end, ""))]
    }

    /// The whole lines of an entry; the line break before them where the text ends with them.
    private func lineRange(of entry: YAMLOutline.Entry) -> Range<Int> {
        let start = lines.start(entry.keyRange.lowerBound)
        let end = lines.next(entry.value.range.upperBound)
        let isUnended = end == lines.bytes.count && lines.bytes.last != 0x0A
        return isUnended && start > 0 ? lines.end(lines.start(start - 1))..<end : start..<end
    }
}

extension YAMLOutline.Node {
    fileprivate func collectAliases(into found: inout [String: [Int]]) {
        switch kind {
        case .alias(let name): found[name, default: []].append(mark.line)
        case .scalar: break
        case .sequence(let items, _): for item in items { item.collectAliases(into: &found) }
        case .mapping(let entries, _): for entry in entries { entry.value.collectAliases(into: &found) }
        }
    }

    fileprivate func line(ofAnchor name: String) -> Int? {
        if anchor == name { return mark.line }
        switch kind {
        case .alias, .scalar: return nil
        case .sequence(let items, _): return items.lazy.compactMap { $0.line(ofAnchor: name) }.first
        case .mapping(let entries, _): return entries.lazy.compactMap { $0.value.line(ofAnchor: name) }.first
        }
    }
}
