import CYAML

/// Builds an outline from events. libyaml counts characters, an outline counts bytes.
struct YAMLOutlineBuilder: ~Copyable {
    private let reader: EventReader
    private let bytes: UnsafeBufferPointer<UInt8>
    private let depth: Int
    // Where the last place that was asked for stands: places come almost in order.
    private var character = 0
    private var byte: Int

    init(_ reader: consuming EventReader, bytes: UnsafeBufferPointer<UInt8>, depth: Int) {
        self.reader = reader
        self.bytes = bytes
        self.depth = depth
        byte = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func documents() throws(YAMLProblem) -> [YAMLOutline.Node] {
        var found: [YAMLOutline.Node] = []
        while true {
            try reader.advance()
            switch reader.type {
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return found
            case YAML_DOCUMENT_START_EVENT:
                try reader.advance()
                found.append(try node(depth: 0))
            default: break
            }
        }
    }

    private mutating func node(depth level: Int) throws(YAMLProblem) -> YAMLOutline.Node {
        guard level <= depth else { throw YAMLProblem(.limit, at: reader.mark, "nested more than \(depth) levels deep") }
        let mark = reader.mark
        let start = place(reader.event.pointee.start_mark)
        let data = reader.event.pointee.data
        switch reader.type {
        case YAML_ALIAS_EVENT:
            let name = text(data.alias.anchor) ?? ""
            return node(.alias(name), start..<place(reader.event.pointee.end_mark), nil, nil, mark)
        case YAML_SCALAR_EVENT:
            let style = YAMLScalarStyle(data.scalar.style)
            var end = place(reader.event.pointee.end_mark)
            if style == .literal || style == .folded {
                while end > start, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
            }
            return node(.scalar(style), start..<max(start, end), data.scalar.anchor, data.scalar.tag, mark)
        case YAML_SEQUENCE_START_EVENT:
            let data = data.sequence_start
            let (anchor, tag) = (text(data.anchor), data.tag != nil)
            let isFlow = data.style == YAML_FLOW_SEQUENCE_STYLE
            let opened = place(reader.event.pointee.end_mark)
            var items: [YAMLOutline.Node] = []
            try reader.advance()
            while reader.type != YAML_SEQUENCE_END_EVENT {
                items.append(try node(depth: level + 1))
                try reader.advance()
            }
            let end = isFlow ? place(reader.event.pointee.end_mark) : items.last?.range.upperBound ?? opened
            return YAMLOutline.Node(
                kind: .sequence(items, isFlow: isFlow), range: start..<end, anchor: anchor, hasProperties: anchor != nil || tag, mark: mark)
        default:
            let data = data.mapping_start
            let (anchor, tag) = (text(data.anchor), data.tag != nil)
            let isFlow = data.style == YAML_FLOW_MAPPING_STYLE
            let opened = place(reader.event.pointee.end_mark)
            let entries = try entries(depth: level + 1)
            let end = isFlow ? place(reader.event.pointee.end_mark) : entries.last?.value.range.upperBound ?? opened
            return YAMLOutline.Node(
                kind: .mapping(entries, isFlow: isFlow), range: start..<end, anchor: anchor, hasProperties: anchor != nil || tag, mark: mark
            )
        }
    }

    private mutating func entries(depth level: Int) throws(YAMLProblem) -> [YAMLOutline.Entry] {
        var entries: [YAMLOutline.Entry] = []
        try reader.advance()
        while reader.type != YAML_MAPPING_END_EVENT {
            let keyMark = reader.mark
            var key: String?
            if reader.type == YAML_SCALAR_EVENT {
                let scalar = reader.event.pointee.data.scalar
                key = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            }
            let keyNode = try node(depth: level)
            try reader.advance()
            let value = try node(depth: level)
            try reader.advance()
            entries.append(YAMLOutline.Entry(key: key, keyRange: keyNode.range, keyMark: keyMark, value: value))
        }
        return entries
    }

    private func node(
        _ kind: YAMLOutline.Node.Kind, _ range: Range<Int>, _ anchor: UnsafeMutablePointer<yaml_char_t>?,
        _ tag: UnsafeMutablePointer<yaml_char_t>?, _ mark: YAMLMark
    ) -> YAMLOutline.Node {
        YAMLOutline.Node(kind: kind, range: range, anchor: text(anchor), hasProperties: anchor != nil || tag != nil, mark: mark)
    }

    private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: UnsafePointer($0)) }
    }

    /// The byte at which a mark stands.
    private mutating func place(_ mark: yaml_mark_t) -> Int {
        let wanted = Int(clamping: mark.index)
        while character < wanted, byte < bytes.count {
            byte += 1
            while byte < bytes.count, bytes[byte] & 0xC0 == 0x80 { byte += 1 }
            character += 1
        }
        while character > wanted, byte > 0 {
            byte -= 1
            while byte > 0, bytes[byte] & 0xC0 == 0x80 { byte -= 1 }
            character -= 1
        }
        return byte
    }
}

extension YAMLScalarStyle {
    init(_ style: yaml_scalar_style_t) {
        self =
            switch style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_LITERAL_SCALAR_STYLE: .literal
            case YAML_FOLDED_SCALAR_STYLE: .folded
            default: .plain
            }
    }
}
