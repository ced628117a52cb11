public import SpecFields

extension RenderTarget: SpecObject {
    public init(_ fields: inout Fields) {
        service = fields.required(
            "service", .string(.renderService),
            "The service's id (`srv-…`, of a cron job `crn-…`), or its name if no other service of the workspaces has it.")
    }
}

extension StringRule {
    /// Names and ids as Render has them: they become parts of paths and of lists.
    fileprivate static let renderService = StringRule(
        pattern: "^[A-Za-z0-9][-._A-Za-z0-9]{0,99}$",
        hint: "an id such as srv-abc123, or a name of letters, digits, '-', '.' and '_', at most 100"
    ) { text in
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 100 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}
