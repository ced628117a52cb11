import Model
import Sources

/// Whether a revision may be reconciled after the accepted one: the accepted revision only moves forward.
///
/// An old pipeline that is run again would otherwise undo a rollback; going back is a new commit.
func refusal(of revision: Revision, after accepted: Revision, relation: RevisionRelation) -> Problem? {
    if accepted.kind == .generation, revision.kind != .generation {
        return Problem(
            "OtherSource",
            "revision \(revision) comes from elsewhere than \(accepted) of the System in the cluster, which was reconciled before",
            next: "change that object instead; to reconcile this all the same, add --force")
    }
    if accepted.kind == .commit, revision.kind == .generation {
        return Problem(
            "OtherSource",
            "\(revision) of the System in the cluster comes from elsewhere than commit \(accepted), which was reconciled before",
            next: "commit the pins instead; to let the object take over from the repository: reconcile --once --cluster --force")
    }
    guard accepted.kind == .commit || accepted.kind == .generation else { return nil }
    guard revision.kind != .digest else {
        return Problem(
            "RevisionWithoutHistory",
            "revision \(revision) stands in no Git history, so it cannot be told whether it is older than commit \(accepted), "
                + "which was reconciled before",
            next: "reconcile from the Git checkout; to reconcile these files all the same, add --force")
    }
    let older = Problem(
        "OlderRevision", "revision \(revision) is older than \(accepted), which was reconciled already",
        next: revision.kind == .generation
            ? "change the object once more, or, where the cluster was restored from a backup: reconcile --once --cluster --force"
            : "to go back, commit the older pins anew; to force it all the same, add --force")
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

/// True if neither what is known of the history nor Git's clock tells whether a commit is older than the accepted one: they are of one second,
/// or nobody knows when one of them was made.
func isOrderOpen(of revision: Revision, after accepted: Revision, relation: RevisionRelation) -> Bool {
    guard relation == .unknown, revision.kind == .commit, accepted.kind == .commit else { return false }
    guard let committed = revision.committed, let before = accepted.committed else { return true }
    return committed == before
}
