import JSONValues
import YAMLReading

/// The fields of one mapping: reads their values, or, while a schema is made, records which fields there are.
public struct Fields {
    /// Nil while a schema is made.
    private let reading: SpecReading?
    private let entries: [YAMLMapping.Entry]
    private let mark: YAMLMark
    private var found = 0
    private var missing: [Missing] = []
    private var object = ObjectSchema()

    /// What is said unless an unknown field turns out to be a misspelling of one of the names.
    private struct Missing {
        var names: [String]
        var path: String?
        var message: String
    }

    private init(_ reading: SpecReading?, _ entries: [YAMLMapping.Entry], at mark: YAMLMark) {
        self.reading = reading
        self.entries = entries
        self.mark = mark
    }

    // MARK: - Fields

    /// A field that must be there.
    public mutating func required<Value: SpecValue>(_ name: String, _ doc: String) -> Value {
        field(name, doc, isRequired: true, schema: Value.schema, default: nil) { Value.read($0, $1) } ?? Value.placeholder
    }

    /// A field that must be there, in a given form.
    public mutating func required<Value>(_ name: String, _ form: Form<Value>, _ doc: String) -> Value {
        field(name, doc, isRequired: true, schema: form.schema(), default: nil, read: form.read) ?? form.placeholder()
    }

    /// A field that may be left out.
    public mutating func optional<Value: SpecValue>(_ name: String, _ doc: String) -> Value? {
        field(name, doc, isRequired: false, schema: Value.schema, default: nil) { Value.read($0, $1) }
    }

    public mutating func optional<Value>(_ name: String, _ form: Form<Value>, _ doc: String) -> Value? {
        field(name, doc, isRequired: false, schema: form.schema(), default: nil, read: form.read)
    }

    /// A field with a value of its own when it is left out.
    public mutating func optional<Value: SpecValue>(_ name: String, default value: Value, _ doc: String) -> Value {
        field(name, doc, isRequired: false, schema: Value.schema, default: value.asWritten) { Value.read($0, $1) } ?? value
    }

    public mutating func optional<Value: SpecValue>(_ name: String, _ form: Form<Value>, default value: Value, _ doc: String) -> Value {
        field(name, doc, isRequired: false, schema: form.schema(), default: value.asWritten, read: form.read) ?? value
    }

    /// Fields of which exactly one must be there; nil after a mistake and while a schema is made.
    ///
    /// - Parameters:
    ///   - what: with its article, for messages: `a provider`.
    ///   - announced: alternatives that a later version will know.
    public mutating func exactlyOne<Value>(of what: String, _ alternatives: [Alternative<Value>], announced: [String] = []) -> Value? {
        guard let reading else {
            object.choices.append(ObjectSchema.Choice(what: what, names: alternatives.map(\.name)))
            for alternative in alternatives {
                object.properties.append(
                    ObjectSchema.Property(name: alternative.name, schema: alternative.schema(), isRequired: false, doc: alternative.doc))
            }
            object.announced += announced
            return nil
        }
        var value: Value?
        var first: YAMLMapping.Entry?
        for entry in entries {
            guard let alternative = alternatives.first(where: { $0.name == entry.key }) else { continue }
            found += 1
            if let first {
                reading.report(
                    "names \(what) twice: \(first.key) at line \(first.keyMark.line), and \(entry.key); keep one", at: entry.keyMark)
                continue
            }
            first = entry
            value = reading.within(entry.key) { alternative.read(entry.value, reading) }
        }
        if first == nil {
            let names = alternatives.map(\.name)
            missing.append(
                Missing(
                    names: names + announced,
                    message: "does not name \(what); add \(names.count == 1 ? "" : "one of ")\(names.joined(separator: ", "))"))
        }
        return value
    }

    /// A field that is accepted and not looked at.
    public mutating func uninterpreted(_ name: String, _ doc: String) {
        let _: Bool? = field(name, doc, isRequired: false, schema: .uninterpreted, default: nil, acceptsNull: true) { _, _ in true }
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

    private mutating func field<Value>(
        _ name: String, _ doc: String, isRequired: Bool, schema: @autoclosure () -> Schema, default written: @autoclosure () -> JSON?,
        acceptsNull: Bool = false, read: (YAMLNode, SpecReading) -> Value?
    ) -> Value? {
        guard let reading else {
            object.properties.append(
                ObjectSchema.Property(name: name, schema: schema(), isRequired: isRequired, default: written(), doc: doc))
            return nil
        }
        guard let entry = entries.first(where: { $0.key == name }) else {
            if isRequired { missing.append(Missing(names: [name], path: name, message: "is required")) }
            return nil
        }
        found += 1
        return reading.within(name) {
            if entry.value.isNull, !acceptsNull {
                reading.report(isRequired ? "is required, and empty" : "is empty; give it a value or leave it out", at: entry.value.mark)
                return nil
            }
            return read(entry.value, reading)
        }
    }

    // MARK: - Reading and describing

    static func describe<Value>(_ make: (inout Fields) -> Value) -> ObjectSchema {
        var fields = Fields(nil, [], at: YAMLMark(line: 1, column: 1))
        _ = make(&fields)
        return fields.object
    }

    static func placeholder<Value>(_ make: (inout Fields) -> Value) -> Value {
        var fields = Fields(nil, [], at: YAMLMark(line: 1, column: 1))
        return make(&fields)
    }

    /// Nil means that at least one mistake was reported.
    static func read<Value>(_ node: YAMLNode, _ reading: SpecReading, _ make: (inout Fields) -> Value) -> Value? {
        guard let mapping = node.mapping else {
            let expected = "expected a mapping with the fields \(describe(make).names.joined(separator: ", "))"
            let found = node.sequence == nil ? "a single value" : "a list"
            reading.report(node.isNull ? "is empty; \(expected)" : "\(expected), found \(found)", at: node.mark)
            return nil
        }
        let before = reading.diagnostics.count
        var fields = Fields(reading, mapping.entries, at: node.mark)
        let value = make(&fields)
        if fields.found < mapping.entries.count || !fields.missing.isEmpty { fields.reportNames(describe(make), reading) }
        return reading.diagnostics.count == before ? value : nil
    }

    /// Reports unknown fields, and missing ones unless they are there under a misspelt name.
    private func reportNames(_ object: ObjectSchema, _ reading: SpecReading) {
        let names = object.names
        let unknown = entries.filter { !names.contains($0.key) }
        var meant: Set<String> = []
        for entry in unknown {
            let field = "unknown field \"\(entry.key.shortened)\""
            if object.announced.contains(entry.key) {
                meant.insert(entry.key)
                reading.report("\(field): not supported yet by this version", at: entry.keyMark)
            } else if let name = NearestName.of(entry.key, among: names.filter { name in !entries.contains { $0.key == name } }) {
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
