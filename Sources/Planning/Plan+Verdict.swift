public import Model

/// What a plan or a pass amounts to, as an exit status.
public enum Verdict: String, Sendable, CaseIterable, Comparable {
    case inSync, changes, blocked, failure

    public var exitStatus: Int32 {
        switch self {
        case .inSync: 0
        case .failure: 1
        case .changes: 2
        case .blocked: 3
        }
    }

    /// Of several systems the worst counts: failed, blocked, changes, in sync.
    public static func < (left: Verdict, right: Verdict) -> Bool { left.severity < right.severity }

    private var severity: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension Plan {
    /// The worst of what is in the plan: a failure, something blocked or refused, changes.
    public var verdict: Verdict {
        if blocked.contains(where: { $0.kind == .failure }) { return .failure }
        if !blocked.isEmpty || refusal != nil { return .blocked }
        return steps.isEmpty ? .inSync : .changes
    }
}
