import CYAML

/// Builds nodes from events within limits. Goes on behind a key that cannot be used, stops at everything else.
struct YAMLTreeBuilder: ~Copyable {
    private struct Anchor {
        var node: YAMLNode
        var nodeCount: Int
        var height: Int
    }

    private let reader: EventReader
    private let limits: YAMLLimits
    private var anchors: [String: Anchor] = [:]
    private var openAnchors: [String] = []
    private var items = PendingElements<YAMLNode>()
    private var entries = PendingElements<YAMLMapping.Entry>()
    private var nodeCount = 0
    /// The deepest level reached since it was last set.
    private var deepest = 0

    var documents: [YAMLNode] = []
    var problems: [YAMLProblem] = []

    init(_ reader: consuming EventReader, limits: YAMLLimits) {
        self.reader = reader
        self.limits = limits
    }

    mutating func readDocuments() throws(YAMLProblem) {
        while true {
            try reader.advance()
            switch reader.type {
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return
            case YAML_DOCUMENT_START_EVENT:
                anchors.removeAll()
                try reader.advance()
                documents.append(try node(depth: 0))
            default: break
            }
        }
    }

    /// Reads the node whose first event is the current one, up to its last event.
    private mutating func node(depth: Int) throws(YAMLProblem) -> YAMLNode {
        try count(1)
        switch reader.type {
        case YAML_ALIAS_EVENT: return try alias(depth: depth)
        case YAML_SCALAR_EVENT:
            let node = scalar()
            if let anchor = reader.event.pointee.data.scalar.anchor {
                anchors[String(yaml: anchor)] = Anchor(node: node, nodeCount: 1, height: 0)
            }
            return node
        case YAML_SEQUENCE_START_EVENT:
            let start = reader.event.pointee.data.sequence_start
            return try collection(anchor: start.anchor, tag: start.tag, depth: depth) { (builder) throws(YAMLProblem) in
                try builder.sequence(depth: depth + 1)
            }
        default:
            let start = reader.event.pointee.data.mapping_start
            return try collection(anchor: start.anchor, tag: start.tag, depth: depth) { (builder) throws(YAMLProblem) in
                try builder.mapping(depth: depth + 1)
            }
        }
    }

    private func scalar() -> YAMLNode {
        let tag = reader.event.pointee.data.scalar.tag
        let text = String(
            decoding: UnsafeBufferPointer(start: reader.event.pointee.data.scalar.value, count: reader.event.pointee.data.scalar.length),
            as: UTF8.self)
        let style = YAMLScalarStyle(reader.event.pointee.data.scalar.style)
        return YAMLNode(.scalar(text, style), tag: tag.map { String(yaml: $0) }, at: reader.mark)
    }

    private mutating func collection(
        anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?, depth: Int,
        content: (inout YAMLTreeBuilder) throws(YAMLProblem) -> YAMLNode.Content
    ) throws(YAMLProblem) -> YAMLNode {
        let mark = reader.mark
        try reach(depth + 1, at: mark)
        let tag = tag.map { String(yaml: $0) }
        guard let name = anchor.map({ String(yaml: $0) }) else { return YAMLNode(try content(&self), tag: tag, at: mark) }

        let (countBefore, deepestBefore) = (nodeCount, deepest)
        deepest = depth + 1
        openAnchors.append(name)
        let node = YAMLNode(try content(&self), tag: tag, at: mark)
        openAnchors.removeLast()
        anchors[name] = Anchor(node: node, nodeCount: nodeCount - countBefore + 1, height: deepest - depth)
        deepest = max(deepest, deepestBefore)
        return node
    }

    private mutating func sequence(depth: Int) throws(YAMLProblem) -> YAMLNode.Content {
        let first = items.count
        try reader.advance()
        while reader.type != YAML_SEQUENCE_END_EVENT {
            items.append(try node(depth: depth))
            try reader.advance()
        }
        return .sequence(items.take(from: first))
    }

    private mutating func mapping(depth: Int) throws(YAMLProblem) -> YAMLNode.Content {
        let first = entries.count
        var table = KeyTable()
        try reader.advance()
        while reader.type != YAML_MAPPING_END_EVENT {
            let keyMark = reader.mark
            let key = try node(depth: depth)
            try reader.advance()
            let value = try node(depth: depth)
            try reader.advance()
            guard let text = usable(key, at: keyMark) else { continue }
            if let other = table.place(of: text, in: entries.elements(from: first)) {
                problems.append(
                    YAMLProblem(
                        .duplicateKey, at: keyMark,
                        "the key \"\(text.shortened)\" stands here for the second time; the first is at line \(other.line), column \(other.column)"
                    ))
                continue
            }
            entries.append(YAMLMapping.Entry(key: text, at: keyMark, value: value))
        }
        return .mapping(YAMLMapping(unique: entries.take(from: first)))
    }

    private mutating func usable(_ key: YAMLNode, at mark: YAMLMark) -> String? {
        switch key.content {
        case .scalar("<<", .plain):
            problems.append(
                YAMLProblem(
                    .unusableKey, at: mark,
                    "the merge key << is not supported; write the fields out, or use an alias (*name) for a whole value"))
            return nil
        case .scalar(let text, _): return text
        case .sequence, .mapping:
            problems.append(YAMLProblem(.unusableKey, at: mark, "a key must be a single word or string, not a list or a mapping"))
            return nil
        }
    }

    private mutating func alias(depth: Int) throws(YAMLProblem) -> YAMLNode {
        let name = String(yaml: reader.event.pointee.data.alias.anchor)
        let mark = reader.mark
        if openAnchors.contains(name) {
            throw YAMLProblem(.alias, at: mark, "the alias *\(name.shortened) stands inside the value that it names")
        }
        guard let anchor = anchors[name] else {
            throw YAMLProblem(.alias, at: mark, "the alias *\(name.shortened) names nothing: there is no &\(name.shortened) above it")
        }
        try count(anchor.nodeCount - 1)
        try reach(depth + anchor.height, at: mark)
        return anchor.node
    }

    private mutating func count(_ nodes: Int) throws(YAMLProblem) {
        nodeCount += nodes
        guard nodeCount <= limits.nodes else {
            throw YAMLProblem(.limit, at: reader.mark, "more than \(limits.nodes) values, counting what aliases stand for; split the file")
        }
    }

    private mutating func reach(_ depth: Int, at mark: YAMLMark) throws(YAMLProblem) {
        deepest = max(deepest, depth)
        guard depth <= limits.depth else { throw YAMLProblem(.limit, at: mark, "nested more than \(limits.depth) levels deep") }
    }
}

extension String {
    fileprivate init(yaml text: UnsafeMutablePointer<yaml_char_t>) {
        self = String(cString: UnsafePointer(text))
    }

    /// At most 60 characters, so that a message stays a line.
    fileprivate var shortened: String { count <= 60 ? self : prefix(59) + "…" }
}
