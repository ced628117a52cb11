import Model

/// What a component's pin means in this plan.
enum Meaning {
    /// Resolved before, for this very revision: nothing to record.
    case recorded(Resolution)
    /// Resolved now, or carried over from an earlier revision.
    case found(Resolution)
    case unresolved(PinResolution)

    var resolution: Resolution? {
        switch self {
        case .recorded(let resolution), .found(let resolution): resolution
        case .unresolved: nil
        }
    }

    func problem(_ component: Component, _ observation: Observation) -> Problem {
        guard case .unresolved(let resolution) = self,
            let problem = resolution.problem(of: component.release, for: component.id, among: observation.listed)
        else { return Problem("PinNotFound", "\(component.id): no release is called \(component.release)") }
        return problem
    }
}

extension Survey {
    /// Resolves a pin: once per revision, and an unchanged pin keeps the meaning that it was given first.
    ///
    /// A pin whose text was resolved before, for another revision or for a release that ran here once, still means that artifact, even where
    /// its name denotes another one now or nothing any more: a moved tag is reported, not followed. What was resolved for another target of
    /// the component does not count.
    func meaning(of component: Component, _ id: ResourceID, _ observation: Observation) -> (Meaning, note: String?) {
        if let known = recorded.resolutions[id], known.pin == component.release, known.holds(for: component.target) {
            let moved = movedTo(component, observation, known)
            if known.revision == revision { return (.recorded(known), moved) }
            return (.found(known.carried(to: revision)), moved)
        }
        let ran = recorded.releases[id]?.last {
            $0.resolution.pin == component.release && $0.resolution.holds(for: component.target)
        }?.resolution
        if let ran { return (.found(ran.carried(to: revision)), movedTo(component, observation, ran)) }
        let found = resolve(component.release, among: observation.listed)
        guard case .resolved(let identity, let label) = found else { return (.unresolved(found), nil) }
        let resolution = Resolution(
            pin: component.release, identity: identity, label: label, revision: revision, scope: component.target.scope)
        return (.found(resolution), nil)
    }

    private func movedTo(_ component: Component, _ observation: Observation, _ known: Resolution) -> String? {
        // Nearly always the live release bears the name still, and then no other has to be looked at.
        if case .release(let declared, _) = observation.live, PinQuestion(component.release).isAnswered(by: declared, with: known.identity)
        {
            return nil
        }
        guard case .resolved(let identity, let label) = resolve(component.release, among: observation.candidates),
            identity != known.identity, !known.lineage.contains(identity),
            // Another name of the same artifact: the release that the pin names today is the recorded one all the same.
            !observation.candidates.contains(where: { $0.release.isIdentical(with: identity) && $0.release.matches(known) })
        else { return nil }
        return "\(component.id): \(component.release) denotes \(identity) (\(label)) now; it was resolved to \(known.identity) at "
            + "\(known.revision). The move is reported, not followed: pin \(identity.value) to go there"
    }
}

extension Resolution {
    fileprivate func carried(to revision: Revision) -> Resolution {
        var copy = self
        copy.revision = revision
        return copy
    }
}

extension Observation {
    /// The candidates, and the declared release where the provider did not list it among them.
    fileprivate var listed: [Candidate] {
        guard let declared = live.declared, !candidates.contains(where: { $0.release == declared }) else { return candidates }
        return candidates + [Candidate(declared, routes: [])]
    }
}
