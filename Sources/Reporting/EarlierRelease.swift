public import Model

/// Which release of a component was there before, by what is recorded of it.
public enum EarlierRelease: Sendable, Hashable {
    /// The one that was reached before the one that is pinned.
    case previous
    /// The last one before it whose checks passed.
    case lastKnownGood

    /// Finds the record. Records of another target of the component do not count.
    public func record(of component: Component, in recorded: RecordedState) -> Result<ReleaseRecord, Problem> {
        let records = Self.before(component, in: recorded)
        let found =
            switch self {
            case .previous: records.last
            case .lastKnownGood: records.last { $0.quality == .good }
            }
        if let found { return .success(found) }
        if let served = records.last {
            return .failure(
                Problem(
                    "NoGoodRelease", "\(component.name): none of the releases before \(component.release) is recorded as good",
                    next: "the last one that was served is \(served.resolution.label): --to previous takes it"))
        }
        return .failure(
            Problem(
                "NoEarlierRelease", "\(component.name): no release before \(component.release) is recorded here",
                next:
                    "choose one of reconcile history \(component.name) with --to PIN; is this the state that the system is reconciled with (--state)?"
            ))
    }

    /// The components that the last change of the system moved, each with what it had before: those whose earlier records are of one and the
    /// same moment, the latest. The others were then as they are now.
    public static func beforeTheLastChange(of system: System, in recorded: RecordedState) -> [(component: Component, record: ReleaseRecord)]
    {
        let earlier = system.components.compactMap { component in
            before(component, in: recorded).last.map { (component: component, record: $0) }
        }
        guard let moment = earlier.map(\.record.reached).max() else { return [] }
        return earlier.filter { $0.record.reached == moment }
    }

    /// What was reached before the pinned release, the oldest first, without the pinned one itself.
    private static func before(_ component: Component, in recorded: RecordedState) -> [ReleaseRecord] {
        let records = (recorded.releases[component.id] ?? []).filter { $0.resolution.holds(for: component.target) }
        let pinned =
            recorded.resolutions[component.id].flatMap { $0.pin == component.release ? $0 : nil }
            ?? records.last { $0.resolution.pin == component.release }?.resolution
        guard let pinned else { return records }
        let end = records.lastIndex { $0.resolution.isSameArtifact(as: pinned) } ?? records.endIndex
        return records[..<end].filter { !$0.resolution.isSameArtifact(as: pinned) }
    }
}
