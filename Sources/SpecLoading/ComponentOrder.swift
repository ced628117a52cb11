import SpecFields
import YAMLReading

/// The `after` lists of a document, taken from its nodes, so that a mistake elsewhere in it hides none of theirs.
struct ComponentOrder {
    private struct Reference {
        /// The component that says `after`.
        var from: Int
        /// Its place in the list.
        var position: Int
        var to: Int
        var mark: YAMLMark
    }

    private let entries: [YAMLMapping.Entry]
    /// What a component may come after as well.
    private let databases: Set<String>

    init(_ document: YAMLNode) {
        entries = document["spec"]?["components"]?.entries ?? []
        databases = Set((document["spec"]?["databases"]?.entries ?? []).map(\.key))
    }

    /// References to nothing, to itself, and in a circle.
    func mistakes(in file: String) -> [Diagnostic] {
        guard entries.contains(where: { $0.value["after"] != nil }) else { return [] }
        var places: [String: Int] = [:]
        places.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() { places[entry.key] = index }
        var references: [Reference] = []
        var starts: [Int] = []
        var mistakes: [Diagnostic] = []
        for (index, entry) in entries.enumerated() {
            starts.append(references.count)
            guard case .sequence(let items)? = entry.value["after"]?.content else { continue }
            var seen: Set<String> = []
            for (position, item) in items.enumerated() {
                guard let name = item.string else { continue }
                let target = places[name]
                // One reference cannot repeat another: most lists have one.
                let isRepeated = items.count > 1 && !seen.insert(name).inserted
                if let target, target != index, !isRepeated {
                    references.append(Reference(from: index, position: position, to: target, mark: item.mark))
                } else if target != nil || isRepeated || !databases.contains(name) {
                    // Looking for the nearest name costs a look at every name.
                    let message = self.message(about: name, of: index, isRepeated: isRepeated, withHint: mistakes.count < 20)
                    mistakes.append(Diagnostic(file: file, at: item.mark, path: path(index, position), message: message))
                }
            }
        }
        starts.append(references.count)
        return mistakes + circles(references, starts, in: file)
    }

    private func path(_ component: Int, _ position: Int) -> String {
        "spec.components.\(entries[component].key.shortened).after[\(position)]"
    }

    private func message(about name: String, of component: Int, isRepeated: Bool, withHint: Bool) -> String {
        if name == entries[component].key { return "a component cannot come after itself" }
        if isRepeated { return "\"\(name.shortened)\" stands here twice" }
        guard withHint else { return "there is no component \"\(name.shortened)\"" }
        let others = entries.map(\.key).filter { $0 != entries[component].key }
        let missing = "there is no component \"\(name.shortened)\""
        if others.isEmpty { return missing + "; this is the only one" }
        let hint = NearestName.hint(for: name, among: others)
        let listed = others.prefix(8).map(\.shortened).joined(separator: ", ") + (others.count > 8 ? " and \(others.count - 8) more" : "")
        return missing + (hint.isEmpty ? "; there are \(listed)" : hint)
    }

    /// One diagnostic for each reference that closes a circle, found by walking the components in the order of the file.
    ///
    /// - Parameter starts: where the references of each component begin, and where they all end.
    private func circles(_ references: [Reference], _ starts: [Int], in file: String) -> [Diagnostic] {
        enum Visit { case none, open, done }
        var visits = Array(repeating: Visit.none, count: entries.count)
        var mistakes: [Diagnostic] = []
        // A stack of our own: a chain may be as long as the file allows.
        var stack: [(component: Int, next: Int)] = []
        for start in entries.indices where visits[start] == .none {
            stack.append((start, starts[start]))
            visits[start] = .open
            while let top = stack.last {
                guard top.next < starts[top.component + 1] else {
                    visits[top.component] = .done
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let reference = references[top.next]
                switch visits[reference.to] {
                case .done: break
                case .none:
                    visits[reference.to] = .open
                    stack.append((reference.to, starts[reference.to]))
                case .open:
                    let names = stack.drop { $0.component != reference.to }.map { entries[$0.component].key } + [entries[reference.to].key]
                    let message = "the order goes in a circle: \(Self.chain(names))"
                    mistakes.append(
                        Diagnostic(file: file, at: reference.mark, path: path(reference.from, reference.position), message: message))
                }
            }
        }
        return mistakes
    }

    /// A chain of at most twelve names.
    private static func chain(_ names: [String]) -> String {
        let names = names.map(\.shortened)
        guard names.count > 12 else { return names.joined(separator: " -> ") }
        return (names.prefix(6) + ["…"] + names.suffix(5)).joined(separator: " -> ")
    }
}
