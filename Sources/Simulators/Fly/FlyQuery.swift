import JSONValues

/// What a GraphQL query asks for: fields, aliases and simple arguments. No fragments, no directives.
struct FlyQuery: Sendable {
    struct Field: Sendable {
        var alias: String
        var name: String
        /// Variables are replaced by their values.
        var arguments: [String: JSON]
        var selection: [Field]
    }

    private(set) var isMutation = false
    private(set) var fields: [Field] = []
    private var tokens: ArraySlice<String>
    private let variables: JSON

    /// - Returns: nil when it is no query that this understands.
    init?(_ text: String, variables: JSON) {
        tokens = Self.tokens(of: text)[...]
        self.variables = variables
        if tokens.first == "query" || tokens.first == "mutation" {
            isMutation = tokens.removeFirst() == "mutation"
            if tokens.first != "{", tokens.first != "(" { _ = tokens.popFirst() }
            if tokens.first == "(" { skipParentheses() }
        }
        guard let fields = selection(depth: 0), tokens.isEmpty else { return nil }
        self.fields = fields
    }

    private mutating func skipParentheses() {
        var depth = 0
        while let token = tokens.popFirst() {
            if token == "(" { depth += 1 }
            if token == ")" { depth -= 1 }
            if depth == 0 { return }
        }
    }

    private mutating func selection(depth: Int) -> [Field]? {
        guard depth < 20, tokens.popFirst() == "{" else { return nil }
        var fields: [Field] = []
        while let token = tokens.popFirst() {
            if token == "}" { return fields }
            guard Self.isName(token) else { return nil }
            var field = Field(alias: token, name: token, arguments: [:], selection: [])
            if tokens.first == ":" {
                tokens.removeFirst()
                guard let name = tokens.popFirst(), Self.isName(name) else { return nil }
                field.name = name
            }
            if tokens.first == "(" {
                guard let arguments = arguments() else { return nil }
                field.arguments = arguments
            }
            if tokens.first == "{" {
                guard let inner = selection(depth: depth + 1) else { return nil }
                field.selection = inner
            }
            fields.append(field)
        }
        return nil
    }

    private mutating func arguments() -> [String: JSON]? {
        _ = tokens.popFirst()
        var arguments: [String: JSON] = [:]
        while let name = tokens.popFirst() {
            if name == ")" { return arguments }
            guard tokens.popFirst() == ":", let value = tokens.popFirst() else { return nil }
            if value == "$" {
                guard let variable = tokens.popFirst() else { return nil }
                arguments[name] = variables[variable] ?? .null
            } else if value.hasPrefix("\"") {
                arguments[name] = .string(String(value.dropFirst()))
            } else if Int(value) != nil {
                arguments[name] = .number(value)
            } else if Self.isName(value) {
                arguments[name] = .string(value)
            } else {
                return nil
            }
        }
        return nil
    }

    private static func isName(_ token: String) -> Bool { token.first.map { $0.isLetter || $0 == "_" } ?? false }

    /// Names, numbers, punctuation; a string with the quote that it begins with.
    private static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var word = ""
        var isText = false
        for character in text {
            if isText {
                if character == "\"" {
                    tokens.append(word)
                    word = ""
                    isText = false
                } else {
                    word.append(character)
                }
            } else if character.isLetter || character.isNumber || character == "_" {
                word.append(character)
            } else {
                if !word.isEmpty { tokens.append(word) }
                word = ""
                if character == "\"" {
                    isText = true
                    word = "\""
                } else if !character.isWhitespace, character != "," {
                    tokens.append(String(character))
                }
            }
        }
        if !word.isEmpty { tokens.append(word) }
        return tokens
    }
}
