import YAMLReading

extension YAMLNode {
    /// True if both were written with the same meaning, wherever they stand.
    func isWritten(like other: YAMLNode) -> Bool {
        guard tag == other.tag else { return false }
        switch (content, other.content) {
        case (.scalar(let left, let style), .scalar(let right, let otherStyle)): return left == right && style == otherStyle
        case (.sequence(let left), .sequence(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isWritten(like: $1) }
        case (.mapping(let left), .mapping(let right)):
            return left.entries.count == right.entries.count
                && zip(left.entries, right.entries).allSatisfy { $0.key == $1.key && $0.value.isWritten(like: $1.value) }
        default: return false
        }
    }

    /// True if the change at that path is the only difference from the older node.
    func differs(from old: YAMLNode, onlyBy change: SpecEdit.Change, at path: ArraySlice<String>) -> Bool {
        guard let key = path.first else {
            guard case .set(let wanted) = change else { return false }
            return value == wanted.meaning
        }
        // Nothing written and a mapping without entries are the same to who adds one.
        guard let mapping, let before = old.mapping ?? (old.isNull ? YAMLMapping() : nil) else { return false }
        let kept = mapping.entries.filter { $0.key != key }
        let others = before.entries.filter { $0.key != key }
        guard kept.count == others.count, zip(kept, others).allSatisfy({ $0.key == $1.key && $0.value.isWritten(like: $1.value) }) else {
            return false
        }
        switch (before[key], mapping[key], change) {
        case (_?, nil, .remove): return path.count == 1
        case (let older?, let newer?, _): return newer.differs(from: older, onlyBy: change, at: path.dropFirst())
        case (nil, let newer?, .set(let wanted)): return newer.value == wanted.below(path.dropFirst()).meaning
        default: return false
        }
    }
}

extension EditedValue {
    /// What a reader must find.
    var meaning: YAMLValue {
        switch self {
        case .text(let text): .string(text)
        case .bool(let value): .bool(value)
        case .integer(let value): .int(value)
        case .mapping(let entries): .mapping(entries.map { ($0.key, $0.value.meaning) })
        }
    }

    /// The value with a mapping of one entry for each key around it.
    func below(_ path: ArraySlice<String>) -> EditedValue {
        path.reversed().reduce(self) { value, key in .mapping([Entry(key, value)]) }
    }
}
