public import JSONValues
public import YAMLReading

/// The fields of one mapping: reads their values, or, while a schema is made, records which fields there are.
public struct Fields {
    /// Nil while a schema is made.
    @usableFromInline let reading: SpecReading?
    private let entries: [YAMLMapping.Entry]
    private let mark: YAMLMark
    private var found = 0
    private var missing: [Missing] = []
    @usableFromInline private(set) var object = ObjectSchema()

    /// What is said unless an unknown field turns out to be a misspelling of one of the names.
    private struct Missing {
        var names: [String]
        var path: String?
        var message: String
    }

    @usableFromInline
    init() {
        reading = nil
        entries = []
        mark = YAMLMark(line: 1, column: 1)
    }

    @usableFromInline
    init(_ reading: SpecReading, _ mapping: YAMLMapping, at mark: YAMLMark) {
        self.reading = reading
        entries = mapping.entries
        self.mark = mark
    }

    // MARK: - Fields

    /// A field that must be there.
    @inlinable
    public mutating func required<Value: SpecValue>(_ name: String, _ doc: String) -> Value {
        guard let reading else {
            declare(name, Value.schema, isRequired: true, doc)
            return Value.placeholder
        }
        guard let node = open(name, isRequired: true) else { return Value.placeholder }
        defer { reading.leave() }
        return Value.read(node, reading) ?? Value.placeholder
    }

    /// A field that must be there, in a given form.
    @inlinable
    public mutating func required<Value>(_ name: String, _ form: Form<Value>, _ doc: String) -> Value {
        guard let reading else {
            declare(name, form.schema(), isRequired: true, doc)
            return form.placeholder()
        }
        guard let node = open(name, isRequired: true) else { return form.placeholder() }
        defer { reading.leave() }
        return form.read(node, reading) ?? form.placeholder()
    }

    /// A field that may be left out.
    @inlinable
    public mutating func optional<Value: SpecValue>(_ name: String, _ doc: String) -> Value? {
        guard let reading else {
            declare(name, Value.schema, isRequired: false, doc)
            return nil
        }
        guard let node = open(name, isRequired: false) else { return nil }
        defer { reading.leave() }
        return Value.read(node, reading)
    }

    /// - Parameter isNeeded: true where the other fields of this mapping require it, which a schema does not tell.
    @inlinable
    public mutating func optional<Value>(_ name: String, _ form: Form<Value>, _ doc: String, isNeeded: Bool = false) -> Value? {
        guard let reading else {
            declare(name, form.schema(), isRequired: false, doc)
            return nil
        }
        guard let node = open(name, isRequired: isNeeded) else { return nil }
        defer { reading.leave() }
        return form.read(node, reading)
    }

    /// A field with a value of its own when it is left out.
    @inlinable
    public mutating func optional<Value: SpecValue>(_ name: String, default value: Value, _ doc: String) -> Value {
        guard let reading else {
            declare(name, Value.schema, isRequired: false, default: value.asWritten, doc)
            return value
        }
        guard let node = open(name, isRequired: false) else { return value }
        defer { reading.leave() }
        return Value.read(node, reading) ?? value
    }

    @inlinable
    public mutating func optional<Value: SpecValue>(_ name: String, _ form: Form<Value>, default value: Value, _ doc: String) -> Value {
        guard let reading else {
            declare(name, form.schema(), isRequired: false, default: value.asWritten, doc)
            return value
        }
        guard let node = open(name, isRequired: false) else { return value }
        defer { reading.leave() }
        return form.read(node, reading) ?? value
    }

    /// Fields of which exactly one must be there; nil after a mistake and while a schema is made.
    ///
    /// - Parameters:
    ///   - what: with its article, for messages: `a provider`.
    ///   - announced: alternatives that a later version will know.
    @inlinable
    public mutating func exactlyOne<Value>(of what: String, _ alternatives: [Alternative<Value>], announced: [String] = []) -> Value? {
        guard let reading else {
            for alternative in alternatives { declare(alternative.name, alternative.schema(), isRequired: false, alternative.doc) }
            declare(ObjectSchema.Choice(what: what, names: alternatives.map(\.name)), announced: announced)
            return nil
        }
        var value: Value?
        var count = 0
        for alternative in alternatives {
            guard let node = openAlternative(alternative.name) else { continue }
            value = alternative.read(node, reading)
            reading.leave()
            count += 1
        }
        if count != 1 { reportChoice(what, alternatives.map(\.name), announced: announced) }
        return value
    }

    /// A field that is accepted and not looked at.
    public mutating func uninterpreted(_ name: String, _ doc: String) {
        if reading == nil {
            declare(name, .uninterpreted, isRequired: false, doc)
        } else if openAlternative(name) != nil {
            reading?.leave()
        }
    }

    /// Names that a later version will know. They are refused like every unknown field, with a message that says so.
    public mutating func announced(_ names: [String]) {
        if reading == nil { object.announced += names }
    }

    /// Reports a mistake that concerns several fields together; without effect while a schema is made.
    public func report(_ message: String, at name: String? = nil) {
        guard let reading else { return }
        guard let name, let entry = entries.first(where: { $0.key == name }) else { return reading.report(message, at: mark) }
        reading.within(name) { reading.report(message, at: entry.value.mark) }
    }

    // MARK: - One field

    @usableFromInline
    mutating func declare(_ name: String, _ schema: Schema, isRequired: Bool, default written: JSON? = nil, _ doc: String) {
        object.properties.append(ObjectSchema.Property(name: name, schema: schema, isRequired: isRequired, default: written, doc: doc))
    }

    @usableFromInline
    mutating func declare(_ choice: ObjectSchema.Choice, announced: [String]) {
        object.choices.append(choice)
        object.announced += announced
    }

    /// The value of a field, with the reading's path led to it: the caller leaves it again. Nil when there is nothing to read.
    @usableFromInline
    mutating func open(_ name: String, isRequired: Bool) -> YAMLNode? {
        guard let node = openAlternative(name) else {
            if isRequired { missing.append(Missing(names: [name], path: name, message: "is required")) }
            return nil
        }
        guard node.isNull else { return node }
        reading?.report(isRequired ? "is required, and empty" : "is empty; give it a value or leave it out", at: node.mark)
        reading?.leave()
        return nil
    }

    /// As `open`, for a field whose absence is no mistake and whose emptiness is judged by the caller.
    @usableFromInline
    mutating func openAlternative(_ name: String) -> YAMLNode? {
        for index in entries.indices where entries[index].key == name {
            found += 1
            reading?.enter(name)
            return entries[index].value
        }
        return nil
    }

    @usableFromInline
    mutating func reportChoice(_ what: String, _ names: [String], announced: [String]) {
        let present = entries.filter { names.contains($0.key) }
        guard let first = present.first else {
            let message = "does not name \(what); add \(names.count == 1 ? "" : "one of ")\(names.joined(separator: ", "))"
            return missing.append(Missing(names: names + announced, message: message))
        }
        for entry in present.dropFirst() {
            reading?.report(
                "names \(what) twice: \(first.key) at line \(first.keyMark.line), and \(entry.key); keep one", at: entry.keyMark)
        }
    }

    // MARK: - Reading and describing

    @inlinable
    static func describe<Value>(_ make: (inout Fields) -> Value) -> ObjectSchema {
        var fields = Fields()
        _ = make(&fields)
        return fields.object
    }

    @inlinable
    static func placeholder<Value>(_ make: (inout Fields) -> Value) -> Value {
        var fields = Fields()
        return make(&fields)
    }

    /// Nil means that at least one mistake was reported.
    @inlinable
    static func read<Value>(_ node: YAMLNode, _ reading: SpecReading, _ make: (inout Fields) -> Value) -> Value? {
        guard case .mapping(let mapping) = node.content else {
            reportShape(node, reading, describe(make))
            return nil
        }
        let before = reading.mistakeCount
        var fields = Fields(reading, mapping, at: node.mark)
        let value = make(&fields)
        if fields.isIncomplete { fields.reportNames(describe(make), reading) }
        return reading.mistakeCount == before ? value : nil
    }

    @usableFromInline
    static func reportShape(_ node: YAMLNode, _ reading: SpecReading, _ object: ObjectSchema) {
        let expected = "expected a mapping with the fields \(object.names.joined(separator: ", "))"
        let found = node.sequence == nil ? "a single value" : "a list"
        reading.report(node.isNull ? "is empty; \(expected)" : "\(expected), found \(found)", at: node.mark)
    }

    /// True if a field of the mapping was not asked for, or one that was asked for is not there.
    @usableFromInline var isIncomplete: Bool { found < entries.count || !missing.isEmpty }

    /// Reports unknown fields, and missing ones unless they are there under a misspelt name.
    @usableFromInline
    func reportNames(_ object: ObjectSchema, _ reading: SpecReading) {
        let names = object.names
        let unknown = entries.filter { !names.contains($0.key) }
        let free = names.filter { name in !entries.contains { $0.key == name } }
        var meant: Set<String> = []
        for entry in unknown {
            let field = "unknown field \"\(entry.key.shortened)\""
            if object.announced.contains(entry.key) {
                meant.insert(entry.key)
                reading.report("\(field): not supported yet by this version", at: entry.keyMark)
            } else if let name = NearestName.of(entry.key, among: free) {
                meant.insert(name)
                reading.report("\(field); did you mean \"\(name)\"?", at: entry.keyMark)
            } else {
                reading.report("\(field); known are \(names.joined(separator: ", "))", at: entry.keyMark)
            }
        }
        for missing in missing where meant.isDisjoint(with: missing.names) {
            if let name = missing.path {
                reading.within(name) { reading.report(missing.message, at: mark) }
            } else {
                reading.report(missing.message, at: mark)
            }
        }
    }
}
