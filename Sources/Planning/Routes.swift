import Model

/// The way that was chosen, or why there is none.
enum ChosenRoute {
    case way(Release, Route)
    case none(Problem)
}

/// Returns the cheapest way to the pinned artifact that may be walked; of equals the one to a release recorded good, then to the newest.
func chooseRoute(
    to resolution: Resolution, of resource: ResourceID, among candidates: [Candidate], records: [ReleaseRecord]
) -> ChosenRoute {
    var ways: [(release: Release, route: Route, isGood: Bool)] = []
    var refusals: [(class: StepClass, problem: Problem)] = []
    var gone: Problem?
    for candidate in newestFirst(candidates) where candidate.release.matches(resolution) {
        let isGood = records.contains { $0.quality == .good && candidate.release.isIdentical(with: $0.resolution.identity) }
        gone = gone ?? candidate.gone
        for route in candidate.routes {
            if let refusal = route.refusal {
                refusals.append((route.class, refusal))
            } else {
                ways.append((candidate.release, route, isGood))
            }
        }
    }
    // `min` returns the first of equals: the newest release, and of its routes the one that the provider names first.
    if let best = ways.min(by: { ($0.route.class, $0.isGood ? 0 : 1) < ($1.route.class, $1.isGood ? 0 : 1) }) {
        return .way(best.release, best.route)
    }
    if let refusal = refusals.min(by: { $0.class < $1.class }) { return .none(refusal.problem) }
    return .none(unreachable(resolution, of: resource, among: candidates, gone: gone))
}

/// By the provider's clock, when it told the time of every one; as listed, which is the newest first, otherwise.
private func newestFirst(_ candidates: [Candidate]) -> [Candidate] {
    let times = candidates.compactMap(\.release.created)
    guard times.count == candidates.count else { return candidates }
    return zip(candidates, times).enumerated()
        .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }
        .map(\.element.0)
}

private func unreachable(_ resolution: Resolution, of resource: ResourceID, among candidates: [Candidate], gone: Problem?) -> Problem {
    let position = candidates.firstIndex { $0.release.matches(resolution) } ?? 0
    let reachable = candidates.enumerated()
        .filter { $0.element.routes.contains { $0.refusal == nil } && !$0.element.release.matches(resolution) }
        .sorted { (abs($0.offset - position), $0.offset) < (abs($1.offset - position), $1.offset) }
        .map(\.element.release.label)
    let offer =
        reachable.isEmpty
        ? "no other release can be reached either; deploy it again" : "nearest that can be reached: \(Suggestions.list(reachable))"
    return Problem(
        gone?.reason ?? "ArtifactGone",
        "\(resource): \(resolution.label) cannot be reached any more: \(gone?.message ?? "the provider no longer lists it")",
        next: [gone?.next, offer].compactMap(\.self).joined(separator: "; "))
}
