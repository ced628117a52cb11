public import SpecFields

extension EnvFileTarget: SpecObject {
    public init(_ fields: inout Fields) {
        path = fields.required(
            "path", .string(.filePath), "The file, absolute or relative to this one; it is made with mode 0600 if it is not there.")
    }
}

extension StringRule {
    fileprivate static let filePath = StringRule(
        pattern: "^[^\\x00-\\x1F]*[^/\\x00-\\x1F]$", hint: "the path of a file, without control characters"
    ) { text in
        text.utf8.last.map { $0 != UInt8(ascii: "/") } ?? false && text.utf8.allSatisfy { $0 >= 0x20 }
    }
}
