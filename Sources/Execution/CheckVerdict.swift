internal import HTTPCore
internal import JSONValues
public import Model

extension Check {
    /// What a response lacks, first things first; nil when it is as it must be. Holds at most 200 characters of the body.
    func flaw(of response: HTTPResponse) -> String? {
        guard response.status == status else {
            var text = "answered \(response.status), expected \(status)"
            if (300...399).contains(response.status), let location = response.headers["Location"] {
                text += "; it redirects to \(Self.shown(location)), and redirects are not followed"
            }
            return text + Self.excerpt(response)
        }
        if let body, !response.text.contains(body) {
            return "answered without the text \(Self.quoted(body))" + Self.excerpt(response)
        }
        guard !json.isEmpty else { return nil }
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: response.body)
        } catch {
            return "answered what is \(error)" + Self.excerpt(response)
        }
        for expectation in json {
            guard let found = Self.value(at: expectation.path, in: document) else {
                return "answered without \(expectation.path)" + Self.excerpt(response)
            }
            guard Self.scalar(found) == expectation.value else {
                return "answered \(expectation.path) = \(Self.clean(found.description)), expected \(Self.text(expectation.value))"
            }
        }
        return nil
    }

    /// The address for people, without what may hold a secret: user, query and fragment.
    public var address: String { Self.shown(url) }

    /// See ``address``.
    static func shown(_ url: String) -> String {
        var text = url.prefix { $0 != "?" && $0 != "#" }
        if let scheme = text.firstRange(of: "://") {
            let authority = text[scheme.upperBound...].prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@") { text.removeSubrange(scheme.upperBound...at) }
        }
        return clean(String(text))
    }

    private static func value(at path: String, in document: JSON) -> JSON? {
        path.split(separator: ".", omittingEmptySubsequences: false).reduce(document) { value, key in
            switch value {
            case .object(let object): object[String(key)]
            case .array: Int(key).flatMap { value?[$0] }
            default: nil
            }
        }
    }

    private static func scalar(_ value: JSON) -> Scalar? {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number: value.double.map(Scalar.number)
        case .string(let value): .string(value)
        case .array, .object: nil
        }
    }

    private static func text(_ value: Scalar) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): String(value)
        case .number(let value): Int(exactly: value).map(String.init) ?? String(value)
        case .string(let value): quoted(value)
        }
    }

    private static func quoted(_ text: String) -> String { JSON.string(clean(text)).description }

    private static func excerpt(_ response: HTTPResponse) -> String {
        let text = clean(String(decoding: response.body.prefix(1000), as: UTF8.self))
        return text.isEmpty ? "" : "; it began with: \(text)"
    }

    /// At most 200 characters, fit for a terminal.
    private static func clean(_ text: String) -> String {
        let visible = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: " "
            default: scalar
            }
        }
        let words = String(String.UnicodeScalarView(visible)).split(separator: " ").joined(separator: " ")
        return words.count > 200 ? words.prefix(200) + "…" : words
    }
}
