import Model

/// How deep each component stands in the whole system's `after` graph.
///
/// Depths are of the whole graph, not of what happens to differ, so that planning again from the middle keeps the order.
struct DependencyOrder {
    private let components: [Component]
    private let positions: [ResourceID: Int]
    private var depths: [Int: Int] = [:]
    /// Members of cycles met so far, each with its cycle as text.
    private(set) var cycles: [ResourceID: String] = [:]

    init(_ components: [Component]) {
        self.components = components
        positions = Dictionary(components.indices.map { (components[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The longest chain of components that it needs; 0 for one that needs none. Costs each component once; no recursion.
    mutating func depth(of id: ResourceID) -> Int {
        guard let position = positions[id] else { return 0 }
        if let known = depths[position] { return known }
        var path: [(position: Int, next: Int, depth: Int)] = [(position, 0, 0)]
        var onPath: [Int: Int] = [position: 0]
        while let top = path.last {
            let needs = components[top.position].after
            guard top.next < needs.count else {
                depths[top.position] = top.depth
                onPath[top.position] = nil
                path.removeLast()
                if !path.isEmpty { path[path.count - 1].depth = max(path[path.count - 1].depth, top.depth + 1) }
                continue
            }
            path[path.count - 1].next += 1
            guard let need = positions[needs[top.next]] else { continue }
            if let known = depths[need] {
                path[path.count - 1].depth = max(top.depth, known + 1)
            } else if let start = onPath[need] {
                record(path[start...].map(\.position))
            } else {
                onPath[need] = path.count
                path.append((need, 0, 0))
            }
        }
        return depths[position] ?? 0
    }

    private mutating func record(_ cycle: [Int]) {
        let names = cycle.map { components[$0].name }
        let start = names.indices.min { names[$0] < names[$1] } ?? 0
        let text = (names[start...] + names[..<start] + [names[start]]).joined(separator: " → ")
        for position in cycle where cycles[components[position].id] == nil { cycles[components[position].id] = text }
    }
}
