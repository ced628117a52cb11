public import SpecFields

extension VercelTarget: SpecObject {
    public init(_ fields: inout Fields) {
        project = fields.required("project", .string(.vercelName), "The project's name or id.")
        team = fields.optional(
            "team", .string(.vercelName), "The slug or id of the team that owns the project; without it, the token's own account.")
    }
}

extension StringRule {
    /// Names, slugs and ids as Vercel has them: they become parts of paths.
    fileprivate static let vercelName = StringRule(
        pattern: "^[A-Za-z0-9][-._A-Za-z0-9]{0,99}$",
        hint: "a name or id of letters, digits, '-', '.' and '_', at most 100"
    ) { text in
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 100 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}
