import SpecFields
import YAMLReading

/// References to databases and components from elsewhere in a document, taken from its nodes, so that a mistake elsewhere hides none of theirs.
struct References {
    private let spec: YAMLNode?
    private let databases: [YAMLMapping.Entry]
    private let components: [YAMLMapping.Entry]

    init(_ document: YAMLNode) {
        spec = document["spec"]
        databases = spec?["databases"]?.entries ?? []
        components = spec?["components"]?.entries ?? []
    }

    /// References to nothing, and a name that means both a component and a database.
    func mistakes(in file: String) -> [Diagnostic] {
        var mistakes: [Diagnostic] = []
        func report(_ node: YAMLMark, _ path: String, _ message: String) {
            mistakes.append(Diagnostic(file: file, at: node, path: path, message: message))
        }
        let names = databases.map(\.key)
        if let spec, spec.mapping != nil, ["components", "databases", "flags"].allSatisfy({ spec[$0] == nil }) {
            report(spec.mark, "spec", "names nothing to reconcile; add components, databases or flags")
        }
        for database in databases where components.contains(where: { $0.key == database.key }) {
            report(database.keyMark, "spec.databases.\(database.key)", "a component has this name already; after could mean either")
        }
        for component in components {
            for window in component.value["requires"]?.entries ?? [] where !names.contains(window.key) {
                report(
                    window.keyMark, "spec.components.\(component.key).requires.\(window.key)",
                    missing("database", window.key, among: names))
            }
        }
        if let place = spec?["state"]?["database"], let name = place.string, !names.contains(name) {
            report(place.mark, "spec.state.database", missing("database", name, among: names))
        }
        if let place = spec?["flags"]?["store"]?["sql"]?["database"], let name = place.string, !names.contains(name) {
            report(place.mark, "spec.flags.store.sql.database", missing("database", name, among: names))
        }
        for flag in spec?["flags"]?["values"]?.entries ?? [] {
            let path = "spec.flags.values.\(flag.key).guard"
            if let place = flag.value["guard"]?["component"], let name = place.string, !components.contains(where: { $0.key == name }) {
                report(place.mark, "\(path).component", missing("component", name, among: components.map(\.key)))
            }
            if let place = flag.value["guard"]?["database"], let name = place.string, !names.contains(name) {
                report(place.mark, "\(path).database", missing("database", name, among: names))
            }
        }
        return mistakes
    }

    private func missing(_ what: String, _ name: String, among names: [String]) -> String {
        let hint = NearestName.hint(for: name, among: names)
        let listed = names.isEmpty ? "; there is none" : "; there are \(names.prefix(8).joined(separator: ", "))"
        return "there is no \(what) \"\(name)\"" + (hint.isEmpty ? listed : hint)
    }
}
