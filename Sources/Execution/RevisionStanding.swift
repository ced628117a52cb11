public import Model

/// How a revision stands to another in the source's history, as the source knows it.
public enum Ancestry: String, Sendable, Codable, CaseIterable {
    case same
    /// It came after the other one.
    case descendant
    /// It came before the other one.
    case ancestor
    /// Neither came before the other: history was rewritten, or it is another branch.
    case diverged
    /// The source does not hold enough of the history.
    case unknown
}

/// How a revision stands to the one that was accepted last.
public enum RevisionStanding: String, Sendable, Codable, CaseIterable {
    case first, same, newer, older, diverged, unknown

    /// - Parameter ancestry: of the candidate, seen from the accepted one; only asked for two commits that differ.
    public init(_ candidate: Revision, accepted: Revision?, ancestry: Ancestry) {
        guard let accepted else {
            self = .first
            return
        }
        // A digest has no before and after: whoever changes the directory means what it then holds.
        guard candidate.kind == .commit, accepted.kind == .commit else {
            self = candidate.kind == accepted.kind && candidate.id == accepted.id ? .same : .newer
            return
        }
        guard candidate.id != accepted.id else {
            self = candidate.isDirty == accepted.isDirty && !candidate.isDirty ? .same : .newer
            return
        }
        self =
            switch ancestry {
            case .same: .same
            case .descendant: .newer
            case .ancestor: .older
            case .diverged: .diverged
            case .unknown: .unknown
            }
    }

    /// Why the revision must not be applied unless somebody insists; nil when it may.
    ///
    /// The accepted revision only moves forward: an old CI job that runs again must not undo what came after it.
    public func refusal(of candidate: Revision, accepted: Revision?) -> Problem? {
        let accepted = accepted.map(\.description) ?? "none"
        switch self {
        case .first, .same, .newer, .diverged:
            return nil
        case .older:
            return Problem(
                "OlderRevision", "revision \(candidate) is an ancestor of \(accepted), which was accepted before",
                next: "to roll back, commit the older pin; to apply this revision all the same, force it")
        case .unknown:
            return Problem(
                "UnknownRevisionOrder",
                "it cannot be told whether revision \(candidate) came before or after \(accepted), which was accepted before",
                next: "fetch the history of both (a clone with full depth), or force it")
        }
    }
}
