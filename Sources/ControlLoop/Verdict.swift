/// How a pass over one system ended, as an exit code tells it.
public enum Verdict: Int32, Sendable, Hashable, Comparable {
    /// Converged, or in sync.
    case converged = 0
    /// Failed, or a spec that does not load.
    case failed = 1
    /// Changes are pending; only `plan` says so.
    case pending = 2
    /// Blocked: needs approval or adoption, locked, an older revision.
    case blocked = 3

    /// Of several systems the worst counts: failed, blocked, pending, converged.
    public static func < (left: Verdict, right: Verdict) -> Bool { left.weight < right.weight }

    private var weight: Int {
        switch self {
        case .converged: 0
        case .pending: 1
        case .blocked: 2
        case .failed: 3
        }
    }
}
