import Model

/// Whether what a flag needs is there at the pins.
struct GuardQuestion {
    enum Answer {
        case holds
        case fails(String)
        case unknown(Problem)
    }

    private let `guard`: FlagGuard
    private let survey: Survey
    private let moves: [SchemaMove]

    init(_ guard: FlagGuard, _ survey: Survey, _ moves: [SchemaMove]) {
        self.guard = `guard`
        self.survey = survey
        self.moves = moves
    }

    func answer() -> Answer {
        for part in [release(), schema()] {
            guard case .holds = part else { return part }
        }
        return .holds
    }

    private func release() -> Answer {
        guard let name = `guard`.component, let bound = `guard`.release else { return .holds }
        let id = ResourceID.component(name)
        guard let resolution = survey.resolutions[id] else {
            return .unknown(.needs(id, id, "what its pin means is unknown"))
        }
        let oldest = bound.hasPrefix(">=") ? bound.dropFirst(2).trimmingBlanks : bound
        let names = [resolution.label, resolution.identity.value] + [resolution.pin].compactMap(\.guardText)
        if names.contains(oldest) { return .holds }
        if let order = names.lazy.compactMap({ ReleaseVersion($0) }).first.flatMap({ pinned in ReleaseVersion(oldest).map { (pinned, $0) } }
        ) {
            return order.0 < order.1 ? .fails("\(name) is pinned to \(resolution.label), and it needs \(oldest) or later") : .holds
        }
        return .unknown(
            Problem(
                "GuardUndecided",
                "it cannot be told whether \(resolution.label) of \(name) is \(oldest) or later: they are no version numbers",
                next: "write the guard with a version that the releases are named by, or without release"))
    }

    private func schema() -> Answer {
        guard let name = `guard`.database, let bound = `guard`.schema else { return .holds }
        let id = ResourceID.database(name)
        guard let move = moves.first(where: { $0.id == id }), let span = move.span else {
            return .unknown(.needs(id, id, "where its schema stands is unknown"))
        }
        let oldest = bound.hasPrefix(">=") ? bound.dropFirst(2).trimmingBlanks : bound
        guard let position = move.position(of: oldest) else {
            return .unknown(
                Problem(
                    "GuardUndecided", "database/\(name) has no migration \(oldest), which a flag needs",
                    next: "name one of its migrations in the guard"))
        }
        return span.target < position ? .fails("\(name) is pinned to \(move.name(span.target)), and it needs \(oldest)") : .holds
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String { String(drop { $0 == " " }) }
}

extension Pin {
    fileprivate var guardText: String? {
        switch self {
        case .name(let text), .commit(let text), .image(let text), .deployment(let text): text
        case .revision(let number): String(number)
        }
    }
}
