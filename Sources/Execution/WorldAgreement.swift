import Model

/// What in the world is no longer as a change was planned; nil when a write may follow.
func disagreement(of observation: Observation, with change: ReleaseChange, on resource: ResourceID) -> Problem? {
    switch route(of: change, in: observation, on: resource) {
    case .success: nil
    case .failure(let problem): problem
    }
}

/// The way of a change as it is now, with the part that is to be sent next; or what in the world is no longer as the change was planned.
func route(of change: ReleaseChange, in observation: Observation, on resource: ResourceID) -> Result<Route, Problem> {
    if let problem = difference(of: observation, from: change, on: resource) { return .failure(problem) }
    let routes =
        observation.candidates.filter { $0.release.matches(change.resolution) }.flatMap(\.routes)
        + [observation.configuration?.route, observation.stoppage?.start].compactMap(\.self)
    guard let route = routes.first(where: { $0.verb == change.route.verb && $0.token == change.route.token }) else {
        return .failure(.changed(resource, "the way to \(change.to.label) (\(change.route.means)) is gone"))
    }
    return route.refusal.map { .failure($0) } ?? .success(route)
}

private func difference(of observation: Observation, from change: ReleaseChange, on resource: ResourceID) -> Problem? {
    func changed(_ what: String) -> Problem { .changed(resource, what) }
    if let blocker = observation.blocker { return blocker }
    switch (observation.live, change.from) {
    case (.unknown(let problem), .some): return problem
    case (.unknown, nil), (.nothing, nil): break
    case (.nothing, let from?): return changed("\(from.label) is gone")
    case (.release(let declared, _), nil): return changed("\(declared.label) is there now")
    case (.release(let declared, _), let from?):
        guard declared.identities.isDisjoint(with: from.identities) else { break }
        // Of a component that is stopped, the release comes first and starting it after: both are the change's own writes.
        if observation.stoppage?.start != nil, declared.matches(change.resolution) { break }
        return changed("\(declared.label) is there now, instead of \(from.label)")
    }
    if let operation = observation.operation { return changed("an operation is under way: \(operation.summary)") }
    return nil
}

extension Problem {
    fileprivate static func changed(_ resource: ResourceID, _ what: String) -> Problem {
        Problem(
            "WorldChanged", "\(resource): the world changed since it was planned: \(what)",
            next: "nothing was written; the next pass plans anew")
    }
}
