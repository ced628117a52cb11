import JSONValues
public import Model
public import SpecFields
public import YAMLReading

/// One entry of a `verify` list.
enum CheckDeclaration {
    static let list: Form<[Check]> = .list(of: check)

    private static let check = Form<Check>.object { fields in
        fields.exactlyOne(of: "a check", [Alternative("http", http, "A GET request and the answer that is expected.") { $0 }])
            ?? Check(url: "")
    }

    private static let http = Form<Check>.object { fields in
        let check = Check(
            url: fields.required("url", urlForm, "Requested with GET; redirects are not followed."),
            status: fields.optional("status", statusForm, default: 200, "The status of a success."),
            body: fields.optional("body", "Text that the body must contain."),
            json: fields.optional(
                "json", expectationsForm, "What the body, read as JSON, must hold: values by path, `checks.0.status` for instance.") ?? [],
            within: fields.optional(
                "within", withinForm, default: .seconds(60), "How long after its first attempt the check may still come true."),
            consecutive: fields.optional("consecutive", consecutiveForm, default: 1, "How many successes in a row make it true."),
            every: fields.optional("every", everyForm, default: .seconds(2), "The pause between two attempts."))
        let least = check.every * (check.consecutive - 1)
        if least > check.within {
            fields.report(
                "\(check.consecutive) successes in a row, one every \(check.every.specText), take \(least.specText), and within is "
                    + "\(check.within.specText): the check could never pass; raise within to at least \(least.specText), "
                    + "or lower consecutive or every")
        }
        return check
    }

    private static let urlForm = Form.string(.httpURL)
    private static let statusForm = Form.integer(100...599)
    private static let withinForm = Form.duration(.zero ... .seconds(24 * 3600))
    private static let everyForm = Form.duration(.milliseconds(100) ... .seconds(3600))
    private static let consecutiveForm = Form.integer(1...100)
    private static let expectationsForm = Form<SpecMap<Check.Scalar>>.map(of: .standard, minimum: 1).map { map in
        map.entries.map { Check.Expectation(path: $0.key, value: $0.value) }
    }
}

extension Check.Scalar: SpecValue {
    public static var schema: Schema { .scalar }
    public static var placeholder: Check.Scalar { .null }

    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> Check.Scalar? {
        switch node.value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .number(Double(value))
        case .float(let value) where value.isFinite: return .number(value)
        case .string(let value): return .string(value)
        case .float, .sequence, .mapping:
            reading.report("expected a string, a number, true, false or null", at: node.mark)
            return nil
        }
    }
}
