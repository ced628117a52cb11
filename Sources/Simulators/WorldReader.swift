import JSONValues

/// A place in a world file: its value and its path, for messages. Scalars may be written as strings, because YAML may give them so.
struct WorldReader {
    var value: JSON
    var path: String

    init(_ value: JSON, _ path: String) {
        self.value = value
        self.path = path
    }

    /// Fails when the place is no mapping or holds a member that is not among the names.
    func mapping(_ names: [String]) throws(WorldError) {
        guard let object = value.object else { throw WorldError(path, "expected a mapping with \(names.joined(separator: ", "))") }
        guard let unknown = object.keys.first(where: { !names.contains($0) }) else { return }
        throw WorldError("\(path).\(unknown)", "unknown; expected one of \(names.joined(separator: ", "))")
    }

    /// Nil when it is absent or null.
    subscript(name: String) -> WorldReader? {
        value[name].map { WorldReader($0, "\(path).\(name)") }
    }

    func elements() throws(WorldError) -> [WorldReader] {
        guard let array = value.array else { throw WorldError(path, "expected a list") }
        return array.enumerated().map { WorldReader($1, "\(path)[\($0)]") }
    }

    func text() throws(WorldError) -> String {
        switch value {
        case .string(let text): return text
        case .number(let digits): return digits
        case .null, .bool, .array, .object: throw WorldError(path, "expected a text")
        }
    }

    func flag() throws(WorldError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"): return false
        case .null, .number, .string, .array, .object: throw WorldError(path, "expected true or false")
        }
    }

    func number() throws(WorldError) -> Double {
        let number: Double? =
            switch value {
            case .number(let digits): Double(digits)
            case .string(let text): Double(text)
            case .null, .bool, .array, .object: nil
            }
        guard let number, number.isFinite, abs(number) < 1e9 else { throw WorldError(path, "expected a number") }
        return number
    }

    /// One of the words.
    func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) throws(WorldError) -> Word where Word.RawValue == String {
        let text = try text()
        guard let word = Word(rawValue: text) else {
            throw WorldError(path, "expected one of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), found \(text)")
        }
        return word
    }

    func text(_ name: String) throws(WorldError) -> String? {
        guard let place = self[name] else { return nil }
        return try place.text()
    }

    func required(_ name: String, _ what: String) throws(WorldError) -> String {
        guard let place = self[name] else { throw WorldError("\(path).\(name)", "expected \(what)") }
        return try place.text()
    }

    func flag(_ name: String) throws(WorldError) -> Bool? {
        guard let place = self[name] else { return nil }
        return try place.flag()
    }

    func number(_ name: String) throws(WorldError) -> Double? {
        guard let place = self[name] else { return nil }
        return try place.number()
    }

    func elements(_ name: String) throws(WorldError) -> [WorldReader] {
        guard let place = self[name] else { return [] }
        return try place.elements()
    }
}
