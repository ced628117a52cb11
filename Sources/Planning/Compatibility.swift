import Model

/// Which positions of one schema a release tolerates.
struct Tolerance {
    var lowest: Int
    var highest: Int
    /// Nothing was declared: this is where the release was last recorded good.
    var isAssumed: Bool
    /// For people: `v2 (needs 002 to 005)`.
    var subject: String

    func holds(_ position: Int) -> Bool { lowest <= position && position <= highest }
}

/// Looks up what the releases of one component need of a schema.
struct Compatibility {
    let component: Component
    let resolution: Resolution?
    let records: [ReleaseRecord]
    /// By the open transition, in that order; they have not been recorded yet.
    let pinned: [PinnedRelease]

    /// True if the component has an edge to the database: by `after`, or by a window declared now or recorded with one of its releases.
    func concerns(_ database: Database) -> Bool {
        component.after.contains(database.id) || component.requires[database.name] != nil
            || records.contains { $0.requires[database.name] != nil } || pinned.contains { $0.requires[database.name] != nil }
    }

    /// What the pinned release tolerates; nil when nothing tells.
    ///
    /// A window that is only assumed includes the pinned position: the spec itself says that the two belong together.
    func ofPin(_ move: SchemaMove) -> Tolerance? {
        guard let resolution else { return nil }
        if let window = component.requires[move.database.name] { return declared(window, resolution.label, move) }
        return recorded(move, label: resolution.label, isPinned: true) { $0.isSameArtifact(as: resolution) }
    }

    /// What a release that can still run tolerates; nil when nothing tells.
    func of(_ release: Release, _ move: SchemaMove) -> Tolerance? {
        if let resolution, release.matches(resolution) { return ofPin(move) }
        return recorded(move, label: release.label, isPinned: false) { release.matches($0) }
    }

    private func recorded(_ move: SchemaMove, label: String, isPinned: Bool, where isRelease: (Resolution) -> Bool) -> Tolerance? {
        if let window = pinned.last(where: { isRelease($0.resolution) })?.requires[move.database.name] {
            return declared(window, label, move)
        }
        let own = records.filter { isRelease($0.resolution) }
        if let window = own.last(where: { $0.requires[move.database.name] != nil })?.requires[move.database.name] {
            return declared(window, label, move)
        }
        guard move.isMoving, let span = move.span,
            let good = own.last(where: { $0.quality == .good && $0.schemas[move.database.name] != nil })?.schemas[move.database.name],
            let position = move.positions[good]
        else { return nil }
        let reach = isPinned ? [position, span.target] : [position]
        return Tolerance(
            lowest: reach.min() ?? position, highest: reach.max() ?? position, isAssumed: true,
            subject: "\(label) (last recorded good at \(good))")
    }

    private func declared(_ window: VersionWindow, _ label: String, _ move: SchemaMove) -> Tolerance {
        // A bound that no migration has is tolerated nowhere: refusing is the only answer that cannot be wrong.
        let lowest = window.lowest.map { move.position(of: $0) ?? .max } ?? -1
        let highest = window.highest.map { move.position(of: $0) ?? -2 } ?? .max
        return Tolerance(lowest: lowest, highest: highest, isAssumed: false, subject: "\(label) (needs \(window.text))")
    }
}

extension VersionWindow {
    fileprivate var text: String {
        switch (lowest, highest) {
        case (let lowest?, let highest?): "\(lowest) to \(highest)"
        case (let lowest?, nil): "\(lowest) or later"
        case (nil, let highest?): "\(highest) or earlier"
        case (nil, nil): "any schema"
        }
    }
}
