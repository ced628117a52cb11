/// Why a system is looked at; the higher ones count where there are several.
public enum LookReason: String, Sendable, CaseIterable, Comparable {
    case resync, retry, hint, change

    public static func < (left: LookReason, right: LookReason) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
