public import Model

/// What systems from several sources have in common, and each can have only once: names, targets, databases, flags. A sentence each.
///
/// Within one source, the specs were compared when they were read.
public func contests(between parts: [(origin: String, systems: [System])]) -> [String] {
    var ledger = ClaimLedger()
    var owners: [SystemID: String] = [:]
    var found: [String] = []
    for (origin, systems) in parts {
        let own = Set(systems.map(\.id))
        for system in systems {
            if let owner = owners[system.id] {
                found.append("\(origin): a system \(system.id) stands already at \(owner)")
            } else {
                found += ledger.contests(of: system, besides: own).map { "\(origin): \(system.id): \($0)" }
            }
        }
        for system in systems where owners[system.id] == nil {
            owners[system.id] = origin
            ledger.enter(system)
        }
    }
    return found
}

/// What several systems that are read one by one claim at once, a sentence each, for every one that claims what another does: nobody knows
/// whose it is.
public func contests(among systems: [System]) -> [SystemID: [String]] {
    var found: [SystemID: [String]] = [:]
    for systems in [systems, systems.reversed()] {
        var ledger = ClaimLedger()
        for system in systems {
            let contests = ledger.contests(of: system, besides: [])
            if !contests.isEmpty { found[system.id, default: []] += contests }
            ledger.enter(system)
        }
    }
    return found
}

/// Which system has what, among all parts of a source: what two systems move would go back and forth between them.
struct ClaimLedger {
    private enum Claim: Hashable {
        case target(provider: String, identity: String)
        case database(Database.Connection)
        case flag(store: String, name: String)
    }

    private struct Owner {
        var system: SystemID
        var resource: ResourceID
    }

    private var owners: [Claim: Owner] = [:]
    private var claims: [SystemID: [Claim]] = [:]

    /// What a system claims and another one has, a sentence each.
    ///
    /// - Parameter others: those that are read together with it, and were compared with it then.
    func contests(of system: System, besides others: Set<SystemID>) -> [String] {
        Self.claims(of: system).compactMap { claim, resource in
            guard let owner = owners[claim], owner.system != system.id, !others.contains(owner.system) else {
                return nil
            }
            let path =
                switch resource.kind {
                case .component: "spec.components.\(resource.name)"
                case .database: "spec.databases.\(resource.name)"
                case .flag: "spec.flags.values.\(resource.name)"
                }
            let what =
                switch claim {
                case .target(let provider, let identity): "\(provider) \(identity)"
                case .database: "the same database"
                case .flag(let store, let name): "\(name) of \(store)"
                }
            return "\(path): \(what) belongs to \(owner.resource) of \(owner.system) already"
        }
    }

    /// Notes what a system has from now on, and nothing else of what it had.
    mutating func enter(_ system: System) {
        remove(system.id)
        let all = Self.claims(of: system)
        claims[system.id] = all.map(\.0)
        for (claim, resource) in all { owners[claim] = Owner(system: system.id, resource: resource) }
    }

    mutating func remove(_ system: SystemID) {
        for claim in claims.removeValue(forKey: system) ?? [] where owners[claim]?.system == system { owners[claim] = nil }
    }

    private static func claims(of system: System) -> [(Claim, ResourceID)] {
        var all = system.components.map {
            (Claim.target(provider: $0.target.provider, identity: $0.target.identity), $0.id)
        }
        all += system.databases.map { (.database($0.connection), $0.id) }
        guard let flags = system.flags else { return all }
        var store = flags.store.place
        if let name = flags.store.database {
            guard let database = system.databases.first(where: { $0.name == name }) else { return all }
            store = "\(flags.store.store) of \(database.connection), \(flags.store.identity.dropFirst(name.count))"
        }
        return all + flags.flags.map { (.flag(store: store, name: $0.name), $0.id) }
    }
}
