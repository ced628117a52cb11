import Model
import Sources

extension System {
    /// Places in a checkout that something would be written to: it is another directory for every commit, and goes away with it. As mistakes.
    func filesKept(in checkout: Checkout) -> [String] {
        func isInside(_ path: String) -> Bool { path.hasPrefix(checkout.path + "/") }
        var mistakes: [String] = []
        func found(_ path: String, _ field: String) {
            guard isInside(path) else { return }
            mistakes.append(
                "\(origin): \(field): \(path) would lie in a checkout of the repository, which goes away with its commit; give an absolute path"
            )
        }
        if let directory = statePlace?.directory { found(directory, "spec.state.directory") }
        for database in databases {
            if case .sqlite(let path) = database.connection { found(path, "spec.databases.\(database.name).sqlite.path") }
        }
        for component in components { found(component.target.identity, "spec.components.\(component.name)") }
        if let store = flags?.store { found(store.identity, "spec.flags.store") }
        return mistakes
    }
}
