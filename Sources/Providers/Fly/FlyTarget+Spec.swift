public import SpecFields

extension FlyTarget: SpecObject {
    public init(_ fields: inout Fields) {
        app = fields.required("app", .string(.label), "The app's name.")
        processGroup = fields.optional(
            "processGroup", .string(.processGroup), "The process group whose machines are pinned; may be left out when there is only one.")
        let word = fields.optional(
            "strategy", .choice(Strategy.allCases.map(\.rawValue)), default: Strategy.rolling.rawValue,
            "`rolling` updates the first machine alone and then some at a time, each healthy before the next begins; `immediate` updates all at once."
        )
        strategy = Strategy(rawValue: word) ?? .rolling
        maxUnavailable = fields.optional(
            "maxUnavailable", .string(.share), default: "33%", "How many machines a rolling update takes at a time: a count or a share.")
    }
}

extension StringRule {
    fileprivate static let processGroup = StringRule(
        pattern: "^[A-Za-z0-9][-_A-Za-z0-9]{0,62}$", hint: "a name of letters, digits, '-' and '_', at most 63"
    ) { text in
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
    }

    fileprivate static let share = StringRule(
        pattern: "^([1-9][0-9]{0,3}|([1-9][0-9]?|100)%)$", hint: "a count such as 2, or a share such as 33%"
    ) { text in
        let isShare = text.hasSuffix("%")
        let digits = isShare ? text.dropLast() : text[...]
        guard digits.utf8.first.map({ (0x31...0x39).contains($0) }) == true, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(digits)
        else { return false }
        return number <= (isShare ? 100 : 9999)
    }
}
