public import Model
public import SpecFields

/// An item of a Vercel Edge Config that holds all flags.
public struct EdgeConfigTarget: FlagTarget, Hashable {
    public static let store = "edgeConfig"
    /// `ecfg_…`
    public var id: String
    /// The team's slug, or its id (`team_…`); nil for the token's own account.
    public var team: String?
    public var item: String

    public init(id: String, team: String? = nil, item: String = "flags") {
        self.id = id
        self.team = team
        self.item = item
    }

    /// An id is unique at Vercel: the team, which may be written in two ways, does not matter.
    public var identity: String { "\(id)/\(item)" }
}

extension EdgeConfigTarget: SpecObject {
    public init(_ fields: inout Fields) {
        id = fields.required("id", .string(.edgeConfigID), "The Edge Config's id.")
        team = fields.optional(
            "team", .string(.edgeConfigTeam), "The slug or id of the team that owns it; without it, the token's own account.")
        item = fields.optional(
            "item", .string(.edgeConfigItem), default: "flags", "The item that holds the flags; made when it is missing.")
    }
}

extension StringRule {
    fileprivate static let edgeConfigID = StringRule(
        pattern: "^ecfg_[A-Za-z0-9_]{1,95}$", hint: "an id that begins with ecfg_"
    ) { text in
        text.hasPrefix("ecfg_") && (6...100).contains(text.utf8.count) && text.utf8.allSatisfy { isWord($0) }
    }

    fileprivate static let edgeConfigTeam = StringRule(
        pattern: "^[-_A-Za-z0-9]{1,100}$", hint: "a slug or id of letters, digits, '-' and '_', at most 100"
    ) { (1...100).contains($0.utf8.count) && $0.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") } }

    fileprivate static let edgeConfigItem = StringRule(
        pattern: "^[-_A-Za-z0-9]{1,256}$", hint: "a key of letters, digits, '-' and '_', at most 256"
    ) { (1...256).contains($0.utf8.count) && $0.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") } }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
}
