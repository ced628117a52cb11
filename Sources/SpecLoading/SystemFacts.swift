import Model
import SpecFields
import YAMLReading

/// The names in a document that other places refer to, taken from its nodes, so that a mistake elsewhere in it hides none of these.
struct SystemFacts {
    struct Component {
        var name: String
        var mark: YAMLMark
        var after: [(name: String, mark: YAMLMark)]
        var claim: Claim?
    }

    /// A provider's target that this component says is its own.
    struct Claim {
        var provider: String
        var identity: String
        var mark: YAMLMark
    }

    var file: String
    var mark: YAMLMark
    /// Nil when the document does not tell a usable name.
    var id: SystemID?
    var nameMark: YAMLMark
    var components: [Component]

    /// - Parameter read: the system, when the document had no mistake.
    init(_ document: YAMLNode, in file: String, read system: System?, targets: [TargetKind]) {
        self.file = file
        mark = document.mark
        let name = document["metadata"]?["name"]
        nameMark = name?.mark ?? document.mark
        id = system?.id ?? name?.string.map { SystemID(namespace: document["metadata"]?["namespace"]?.string ?? "default", name: $0) }
        components = (document["spec"]?["components"]?.entries ?? []).enumerated().map { index, entry in
            let after = (entry.value["after"]?.items ?? []).compactMap { item in item.string.map { ($0, item.mark) } }
            var claim: Claim?
            if let system {
                let target = system.components[index].target
                claim = Claim(
                    provider: target.provider, identity: target.identity, mark: entry.value[target.provider]?.mark ?? entry.keyMark)
            } else if let kind = targets.first(where: { entry.value[$0.name] != nil }), let node = entry.value[kind.name] {
                // Its mistakes were reported when the document was read.
                claim = kind.read(node, SpecReading(file: file)).map {
                    Claim(provider: $0.provider, identity: $0.identity, mark: node.mark)
                }
            }
            return Component(name: entry.key, mark: entry.keyMark, after: after, claim: claim)
        }
    }

    private func mistake(_ mark: YAMLMark, _ path: String, _ message: String) -> Diagnostic {
        Diagnostic(file: file, at: mark, path: path, message: message)
    }

    // MARK: - Within one system

    /// What is wrong with the `after` lists.
    var referenceMistakes: [Diagnostic] {
        guard components.contains(where: { !$0.after.isEmpty }) else { return [] }
        let names = components.map(\.name)
        let places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        var mistakes: [Diagnostic] = []
        var edges = Array(repeating: [(to: Int, mark: YAMLMark, path: String)](), count: names.count)
        for (index, component) in components.enumerated() {
            var seen: Set<String> = []
            for (position, item) in component.after.enumerated() {
                let path = "spec.components.\(component.name).after[\(position)]"
                if item.name == component.name {
                    mistakes.append(mistake(item.mark, path, "a component cannot come after itself"))
                } else if !seen.insert(item.name).inserted {
                    mistakes.append(mistake(item.mark, path, "\"\(item.name.shortened)\" stands here twice"))
                } else if let target = places[item.name] {
                    edges[index].append((target, item.mark, path))
                } else {
                    let others = names.filter { $0 != component.name }
                    let hint = NearestName.hint(for: item.name, among: others)
                    mistakes.append(
                        mistake(
                            item.mark, path,
                            "there is no component \"\(item.name.shortened)\""
                                + (hint.isEmpty ? others.isEmpty ? "; it is the only one" : "; there are \(others.listed)" : hint)))
                }
            }
        }
        return mistakes + cycles(edges)
    }

    /// One diagnostic for each reference that closes a cycle, found by walking the components in the order of the file.
    private func cycles(_ edges: [[(to: Int, mark: YAMLMark, path: String)]]) -> [Diagnostic] {
        enum Visit { case none, open, done }
        var visits = Array(repeating: Visit.none, count: edges.count)
        var mistakes: [Diagnostic] = []
        for start in edges.indices where visits[start] == .none {
            // A stack of our own: a chain may be as long as the file allows.
            var stack: [(node: Int, next: Int)] = [(start, 0)]
            visits[start] = .open
            while let top = stack.last {
                guard top.next < edges[top.node].count else {
                    visits[top.node] = .done
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let edge = edges[top.node][top.next]
                switch visits[edge.to] {
                case .done: break
                case .none:
                    visits[edge.to] = .open
                    stack.append((edge.to, 0))
                case .open:
                    let loop = stack.drop { $0.node != edge.to }.map { components[$0.node].name } + [components[edge.to].name]
                    mistakes.append(mistake(edge.mark, edge.path, "the order goes in a circle: \(loop.chained)"))
                }
            }
        }
        return mistakes
    }

    // MARK: - Over all systems

    /// Names and targets that stand in two places.
    static func mistakesTogether(_ systems: [SystemFacts]) -> [Diagnostic] {
        var mistakes: [Diagnostic] = []
        var names: [SystemID: SystemFacts] = [:]
        var claims: [String: (system: SystemFacts, component: Component)] = [:]
        for system in systems {
            if let id = system.id {
                if let first = names[id] {
                    let place = "\(first.file):\(first.nameMark.line):\(first.nameMark.column)"
                    mistakes.append(system.mistake(system.nameMark, "metadata.name", "a system \(id) stands already at \(place)"))
                } else {
                    names[id] = system
                }
            }
            for component in system.components {
                guard let claim = component.claim else { continue }
                let key = "\(claim.provider) \(claim.identity)"
                guard let first = claims[key], let mark = first.component.claim?.mark else {
                    claims[key] = (system, component)
                    continue
                }
                let place = "\(first.system.file):\(mark.line):\(mark.column)"
                let owner =
                    "component \(first.component.name)\(first.system.id == system.id ? "" : " of \(first.system.id.map { "\($0)" } ?? "another system")")"
                mistakes.append(
                    system.mistake(
                        claim.mark, "spec.components.\(component.name).\(claim.provider)", "\(key) belongs to \(owner) already, at \(place)"
                    ))
            }
        }
        return mistakes
    }
}

extension [String] {
    /// At most eight names.
    fileprivate var listed: String { prefix(8).joined(separator: ", ") + (count > 8 ? " and \(count - 8) more" : "") }

    /// A chain of at most twelve names.
    fileprivate var chained: String {
        count <= 12 ? joined(separator: " -> ") : prefix(6).joined(separator: " -> ") + " -> … -> " + suffix(5).joined(separator: " -> ")
    }
}
