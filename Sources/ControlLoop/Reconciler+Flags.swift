import Model
import ProviderKit

extension Reconciler {
    /// What keeps the system's flags, or why it cannot be used; nil for a system without flags.
    func store(ofFlagsIn system: System) -> Result<AnyFlagStore, Problem>? {
        guard let flags = system.flags else { return nil }
        guard let flagStore else {
            return .failure(Problem("Unsupported", "\(flags.store.place): this program sets no flags", next: "run one that does"))
        }
        return flagStore(system, flags)
    }

    /// Nil for a system without flags, and where it cannot be used: then every flag is unknown, and no step sets one.
    func usableStore(ofFlagsIn system: System) -> AnyFlagStore? {
        guard case .success(let store) = store(ofFlagsIn: system) else { return nil }
        return store
    }

    /// Observes every flag that the spec names, in one question; a store that cannot be used makes all of them unknown, and nothing else.
    func observeFlags(of system: System) async -> [ResourceID: FlagObservation] {
        guard let flags = system.flags, let store = store(ofFlagsIn: system) else { return [:] }
        let names = flags.flags.map(\.name)
        switch store {
        case .success(let store):
            let found = await store.observe(names, in: flags.store)
            return Dictionary(names.compactMap { name in found[name].map { (.flag(name), $0) } }) { first, _ in first }
        case .failure(let problem):
            return Dictionary(names.map { (.flag($0), FlagObservation(problem: problem)) }) { first, _ in first }
        }
    }
}
