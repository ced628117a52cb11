import ClusterSource
public import ControlLoop
public import Model

extension LoopEvent {
    /// What of this one replica of several tells the cluster, which is what it would tell of its own systems alone: what all of them read is
    /// told once. Nil where nothing is left.
    ///
    /// - Parameter isOwn: true for a system that this replica works on.
    public func share(of isOwn: (SystemID) -> Bool) -> LoopEvent? {
        switch self {
        case .loaded(let revision, let systems, let notes):
            let own = systems.filter(isOwn)
            return own.isEmpty ? nil : .loaded(revision, own, notes: notes)
        case .unmoved(let revision, let systems):
            let own = systems.filter(isOwn)
            return own.isEmpty ? nil : .unmoved(revision, own)
        case .rejected(let revision, let mistakes, let watched, let origin):
            guard let own = Self.own(of: watched, from: origin, isOwn) else { return nil }
            return .rejected(revision, mistakes: mistakes, watched: own, origin: origin)
        case .unreadable(let error, let watched, let origin):
            guard let own = Self.own(of: watched, from: origin, isOwn) else { return nil }
            return .unreadable(error, watched: own, origin: origin)
        case .tookOver(let systems, let event):
            return event.share { systems.contains($0) && isOwn($0) }
        default: return self
        }
    }

    /// An object that has never loaded is known by the name of its part alone.
    private static func own(of watched: [SystemID], from origin: String, _ isOwn: (SystemID) -> Bool) -> [SystemID]? {
        let own = watched.filter(isOwn)
        guard own.isEmpty else { return own }
        return watched.isEmpty && SystemID(origin: origin).map(isOwn) ?? false ? [] : nil
    }
}
