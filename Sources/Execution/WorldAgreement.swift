import Model

/// What in the world is no longer as a change was planned; nil when a write may follow.
func disagreement(of observation: Observation, with change: ReleaseChange, on resource: ResourceID) -> Problem? {
    func changed(_ what: String) -> Problem {
        Problem(
            "WorldChanged", "\(resource): the world changed since it was planned: \(what)",
            next: "nothing was written; the next pass plans anew")
    }
    if let blocker = observation.blocker { return blocker }
    switch (observation.live, change.from) {
    case (.unknown(let problem), .some): return problem
    case (.unknown, nil), (.nothing, nil): break
    case (.nothing, let from?): return changed("\(from.label) is gone")
    case (.release(let declared, _), nil): return changed("\(declared.label) is there now")
    case (.release(let declared, _), let from?):
        guard declared.identities.isDisjoint(with: from.identities) else { break }
        return changed("\(declared.label) is there now, instead of \(from.label)")
    }
    if let operation = observation.operation { return changed("an operation is under way: \(operation.summary)") }
    let routes = observation.candidates.filter { $0.release.matches(change.resolution) }.flatMap(\.routes)
    guard let route = routes.first(where: { $0.verb == change.route.verb && $0.token == change.route.token }) else {
        return changed("the way to \(change.to.label) (\(change.route.means)) is gone")
    }
    return route.refusal
}
