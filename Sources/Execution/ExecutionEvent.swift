public import Model

/// What happens while a plan is carried out, as it happens.
public enum ExecutionEvent: Sendable, Hashable {
    case phaseEntered(Phase)
    /// Somebody else changed what is declared; told once for each change.
    case drifted(Drift)
    /// Something that changes nothing and that the reader should know.
    case notice(ResourceID, String)
    case stepStarted(Step)
    /// One line on how far a step is; told only when it changes.
    case stepProgress(Step, String)
    /// Steps that were never begun end too.
    case stepEnded(Step, Outcome)
}
