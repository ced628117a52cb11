import JSONValues
import SpecFields
import YAMLReading

extension Form where Value == JSON {
    /// Anything, by the scalars of the YAML 1.2 core schema. What JSON has no word for (`.inf`) is reported.
    static let json = Form(schema: { .uninterpreted }, placeholder: { .null }, read: convert)

    /// A mapping of anything.
    static let jsonObject = Form(
        schema: { .uninterpreted }, placeholder: { .null },
        read: { node, reading in
            if node.mapping != nil { return convert(node, reading) }
            reading.report("expected a mapping, found \(node.sequence == nil ? "a single value" : "a list")", at: node.mark)
            return nil
        })

    private static func convert(_ node: YAMLNode, _ reading: SpecReading) -> JSON? {
        switch node.content {
        case .sequence(let items):
            let values = items.enumerated().compactMap { index, item in reading.within(index) { convert(item, reading) } }
            return values.count == items.count ? .array(values) : nil
        case .mapping(let mapping):
            let members = mapping.entries.compactMap { entry in
                reading.within(entry.key) { convert(entry.value, reading) }.map { (key: entry.key, value: $0) }
            }
            return members.count == mapping.entries.count ? .object(JSONObject(members)) : nil
        case .scalar(let text, _):
            switch node.value {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .int(let value): return .integer(value)
            case .float(let value):
                if let digits = digits(text) { return digits }
                if value.isFinite { return .number(String(value)) }
                reading.report("JSON has no number \(text); put it in quotes", at: node.mark)
                return nil
            default: return .string(text)
            }
        }
    }

    /// The number with its digits as they were written, if JSON writes numbers so.
    private static func digits(_ text: String) -> JSON? {
        do { return try JSON(parsing: text) } catch { return nil }
    }
}
