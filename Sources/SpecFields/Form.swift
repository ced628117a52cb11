public import YAMLReading

/// How a field is read and described where its type alone does not say it: with a rule, a range, or keys of the author's choice.
public struct Form<Value>: Sendable {
    @usableFromInline package let schema: @Sendable () -> Schema
    @usableFromInline let placeholder: @Sendable () -> Value
    @usableFromInline package let read: @Sendable (YAMLNode, SpecReading) -> Value?

    @inlinable
    public init(
        schema: @escaping @Sendable () -> Schema, placeholder: @escaping @Sendable () -> Value,
        read: @escaping @Sendable (YAMLNode, SpecReading) -> Value?
    ) {
        self.schema = schema
        self.placeholder = placeholder
        self.read = read
    }

    /// A mapping whose fields `make` declares.
    @inlinable
    public static func object(_ make: @escaping @Sendable (inout Fields) -> Value) -> Form {
        Form(
            schema: { .object(Fields.describe(make)) }, placeholder: { Fields.placeholder(make) },
            read: { node, reading in Fields.read(node, reading, make) })
    }

    /// A scalar, or a mapping whose fields `make` declares.
    @inlinable
    public static func scalar(_ scalar: Form, orObject make: @escaping @Sendable (inout Fields) -> Value) -> Form {
        Form(
            schema: { .either(scalar.schema(), Fields.describe(make)) }, placeholder: scalar.placeholder,
            read: { node, reading in node.mapping == nil ? scalar.read(node, reading) : Fields.read(node, reading, make) })
    }

    /// The same field with another type behind it.
    @inlinable
    public func map<Other>(_ transform: @escaping @Sendable (Value) -> Other) -> Form<Other> {
        let (read, placeholder) = (self.read, self.placeholder)
        return Form<Other>(schema: schema, placeholder: { transform(placeholder()) }, read: { read($0, $1).map(transform) })
    }
}

extension Form where Value: SpecValue {
    /// The field as its type declares it.
    @inlinable
    public static var standard: Form {
        Form(schema: { Value.schema }, placeholder: { Value.placeholder }, read: { Value.read($0, $1) })
    }
}

extension Form where Value == String {
    /// A string that follows a rule. The message of a mistake tells the rule and not the value.
    public static func string(_ rule: StringRule) -> Form {
        Form(
            schema: { .string(pattern: rule.pattern, hint: rule.hint) }, placeholder: { "" },
            read: { node, reading in
                guard let text = reading.text(of: node, expecting: rule.hint) else { return nil }
                if rule.accepts(text) { return text }
                reading.report("expected \(rule.hint)", at: node.mark)
                return nil
            })
    }

    /// A string that may be empty when it is quoted.
    public static let possiblyEmptyString = Form(
        schema: { String.schema }, placeholder: { "" },
        read: { node, reading in
            if case .scalar("", let style) = node.content, style != .plain { return "" }
            return String.read(node, reading)
        })

    /// One of the given words.
    public static func choice(_ words: [String]) -> Form {
        let expected = "one of \(words.joined(separator: ", "))"
        return Form(
            schema: { .choice(words) }, placeholder: { words.first ?? "" },
            read: { node, reading in
                guard let text = reading.text(of: node, expecting: expected) else { return nil }
                if words.contains(text) { return text }
                reading.report("expected \(expected)\(NearestName.hint(for: text, among: words))", at: node.mark)
                return nil
            })
    }
}

extension Form where Value == Int {
    public static func integer(_ range: ClosedRange<Int>) -> Form {
        let expected =
            "a whole number "
            + (range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)")
        return Form(
            schema: { .integer(range) }, placeholder: { range.lowerBound },
            read: { node, reading in
                guard let value = Int.read(node, reading, expecting: expected) else { return nil }
                if range.contains(value) { return value }
                reading.report("expected \(expected)", at: node.mark)
                return nil
            })
    }
}

extension Form where Value == Duration {
    public static func duration(_ range: ClosedRange<Duration>) -> Form {
        Form(
            schema: { .duration }, placeholder: { range.lowerBound },
            read: { node, reading in
                guard let value = Duration.read(node, reading) else { return nil }
                if range.contains(value) { return value }
                reading.report("expected a duration from \(range.lowerBound.specText) to \(range.upperBound.specText)", at: node.mark)
                return nil
            })
    }
}

extension Form {
    /// A list of such values.
    @inlinable
    public static func list<Element>(of element: Form<Element>, minimum: Int = 0) -> Form where Value == [Element] {
        Form(
            schema: { .list(element.schema(), minimum: minimum) }, placeholder: { [] },
            read: { node, reading in
                guard let values = [Element].readList(node, reading, { element.read($0, $1) }) else { return nil }
                if values.count >= minimum { return values }
                reading.report("has \(values.count) entries; expected at least \(minimum)", at: node.mark)
                return nil
            })
    }

    /// A mapping whose keys the author chooses.
    @inlinable
    public static func map<Element>(keys rule: StringRule? = nil, of element: Form<Element>, minimum: Int = 0) -> Form
    where Value == SpecMap<Element> {
        Form(
            schema: { .map(keys: rule, element.schema(), minimum: minimum) }, placeholder: { SpecMap() },
            read: { node, reading in SpecMap.read(node, reading, keys: rule, minimum: minimum) { element.read($0, $1) } })
    }
}
