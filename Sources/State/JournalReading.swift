import JSONValues
import Model

/// Read from a part of a journal line, in the form that its `Encodable` conformance gives it.
///
/// By hand, because a journal is read at every start, and `JSONDecoder` needs many times as long for one of a thousand components.
protocol JournalReadable {
    init(journal json: JSON) throws(JournalMismatch)
}

/// A part of a journal line that is not what belongs there.
struct JournalMismatch: Error {}

extension JSON {
    func member<Value: JournalReadable>(_ key: String, as type: Value.Type = Value.self) throws(JournalMismatch) -> Value {
        guard let value = self[key] else { throw JournalMismatch() }
        return try Value(journal: value)
    }

    func optionalMember<Value: JournalReadable>(_ key: String, as type: Value.Type = Value.self) throws(JournalMismatch) -> Value? {
        guard let value = self[key] else { return nil }
        return try Value(journal: value)
    }
}

extension JournalReadable {
    fileprivate init(unwrapping value: Self?) throws(JournalMismatch) {
        guard let value else { throw JournalMismatch() }
        self = value
    }
}

// MARK: - Forms

extension String: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) { try self.init(unwrapping: json.string) }
}

extension Bool: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) { try self.init(unwrapping: json.bool) }
}

extension Int: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) { try self.init(unwrapping: json.integer) }
}

extension Array: JournalReadable where Element: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        guard case .array(let elements) = json else { throw JournalMismatch() }
        self = try elements.map { element throws(JournalMismatch) in try Element(journal: element) }
    }
}

extension Dictionary: JournalReadable where Key: LosslessStringConvertible, Value: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        guard case .object(let object) = json else { throw JournalMismatch() }
        self.init(minimumCapacity: object.members.count)
        for member in object.members {
            guard let key = Key(member.key) else { throw JournalMismatch() }
            self[key] = try Value(journal: member.value)
        }
    }
}

extension JournalReadable where Self: LosslessStringConvertible {
    init(journal json: JSON) throws(JournalMismatch) { try self.init(unwrapping: json.string.flatMap { Self($0) }) }
}

extension JournalReadable where Self: RawRepresentable, RawValue == String {
    init(journal json: JSON) throws(JournalMismatch) { try self.init(unwrapping: json.string.flatMap { Self(rawValue: $0) }) }
}

extension Duration: JournalReadable {
    /// The upper and the lower half of its attoseconds, as the standard library writes it.
    init(journal json: JSON) throws(JournalMismatch) {
        guard case .array(let halves) = json, halves.count == 2, case .number(let upper) = halves[0], case .number(let lower) = halves[1],
            let upper = Int64(upper), let lower = UInt64(lower)
        else { throw JournalMismatch() }
        self.init(attoseconds: Int128(upper) << 64 | Int128(lower))
    }
}
