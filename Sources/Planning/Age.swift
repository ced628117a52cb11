import Model

/// Whether the pinned release is older or newer than the one it replaces.
enum Age: Equatable {
    case older, newer, unknown

    /// The provider's times decide where both are the artifact's own: of several copies of an artifact the first one's. Where a time is only
    /// that of a copy, or missing, the order in which the two were first recorded decides. That order is not asked first, because it begins
    /// with whatever was live at the first contact: with `[B, A]` recorded after the first rollback, A would count as the newer one.
    static func of(_ resolution: Resolution, replacing live: Release, among candidates: [Candidate], records: [ReleaseRecord]) -> Age {
        let releases = candidates.map(\.release)
        let target = releases.filter { $0.matches(resolution) }
        let current = releases.filter { release in release.identities.contains { live.isIdentical(with: $0) } } + [live]
        if let to = birth(of: target), let from = birth(of: current), to != from { return to < from ? .older : .newer }
        if let to = records.firstIndex(where: { $0.resolution.isSameArtifact(as: resolution) }),
            let from = records.firstIndex(where: { live.matches($0.resolution) }), to != from
        {
            return to < from ? .older : .newer
        }
        return .unknown
    }

    /// Nil when no release of the artifact is known that is not a copy of an earlier one.
    private static func birth(of copies: [Release]) -> Timestamp? {
        copies.filter { !$0.isCopy }.compactMap(\.created).min()
    }
}

extension Release {
    /// True if its lineage leads to another release: its time is that of the copy.
    fileprivate var isCopy: Bool {
        lineage.contains { identity in !names.contains { $0.denotes == identity || $0.value == identity.value } }
    }
}
