import Model
import Sources

/// Whether a revision may be reconciled after the accepted one: the accepted revision only moves forward.
///
/// An old pipeline that is run again would otherwise undo a rollback; going back is a new commit.
func refusal(of revision: Revision, after accepted: Revision, relation: RevisionRelation) -> Problem? {
    guard accepted.kind == .commit else { return nil }
    guard revision.kind == .commit else {
        return Problem(
            "RevisionWithoutHistory",
            "revision \(revision) stands in no Git history, so it cannot be told whether it is older than commit \(accepted), "
                + "which was reconciled before",
            next: "reconcile from the Git checkout; to reconcile these files all the same, add --force")
    }
    let older = Problem(
        "OlderRevision", "revision \(revision) is older than \(accepted), which was reconciled already",
        next: "to go back, commit the older pins anew; to force it all the same, add --force")
    switch relation {
    case .same, .ancestor, .diverged: return nil
    case .descendant: return older
    case .unknown:
        // A shallow clone does not hold the accepted commit. The committer's times were written by one kind of clock, Git's.
        guard let committed = revision.committed, let before = accepted.committed, committed < before else { return nil }
        return Problem(
            "OlderRevision",
            "revision \(revision) was committed before \(accepted), which was reconciled already, and this clone is too shallow to tell more",
            next: "fetch the whole history (git fetch --unshallow), or commit the pins anew; to force it all the same, add --force")
    }
}
