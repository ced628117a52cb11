import Model

extension Survey {
    /// What somebody else changed: what is declared is neither what was pinned and reached before, nor where an open transition comes from or
    /// leads to.
    func drift(of component: Component, _ observation: Observation, from pinned: Resolution?) -> Drift? {
        guard recorded.isKnown, let declared = observation.live.declared, !(pinned.map { declared.matches($0) } ?? false) else {
            return nil
        }
        let id = component.id
        let expected: Resolution
        if let transition = recorded.transition, let target = transition.target[id] {
            guard let start = transition.start[id], !declared.isIdentical(with: start) else { return nil }
            expected = target
        } else {
            guard let accepted = recorded.resolutions[id], accepted.holds(for: component.target),
                recorded.latestReleased(id, as: accepted)
            else { return nil }
            expected = accepted
        }
        guard !declared.matches(expected), let identity = declared.names.min(by: { $0.kind < $1.kind })?.denotes else { return nil }
        // What a write of ours may be leading to is not somebody else's.
        if recorded.openIntent(of: component) != nil, observation.fate == .inFlight || observation.fate == .tookEffect { return nil }
        return Drift(
            resource: id, expected: expected.label, found: declared.label, identity: identity, cause: observation.cause)
    }
}

extension RecordedState {
    /// True if the last release that was recorded of the resource is this artifact: it was there.
    fileprivate func latestReleased(_ resource: ResourceID, as resolution: Resolution) -> Bool {
        releases[resource]?.last?.resolution.isSameArtifact(as: resolution) ?? false
    }
}
