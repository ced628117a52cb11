public import Model

/// Returns what would bring `system` from what is observed to what it pins, and why not more.
///
/// A pure function: no input or output, no clock, nothing random; equal arguments give equal plans. Nothing is thrown: what cannot be done is
/// in ``Plan/blocked``. An unknown resource blocks what needs it and nothing else. Costs one comparison for a component that is in place;
/// only what differs is ordered.
public func plan(_ system: System, revision: Revision, observed: World, recorded: RecordedState) -> Plan {
    let survey = Survey(system, revision: revision, observed: observed, recorded: recorded)
    var draft = Draft(survey)
    if !draft.isEmpty {
        draft.addOwedChecks()
        draft.rank()
        draft.chooseTimings()
        draft.blockWhatCannotMove()
        draft.addChecksBeforeContracts()
    }
    return draft.finished()
}
