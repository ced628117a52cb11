public import Model

/// Several repositories, refs or paths in them, each with a revision of its own. They are read side by side.
public struct GitSources: WatchedSource {
    private let sources: [GitSource]

    /// - Parameter sources: at least one; no two have the same address.
    public init(_ sources: [GitSource]) { self.sources = sources }

    /// When one of them is to be asked, all are.
    public func change() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in sources { group.addTask { try await source.change() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    public func holding() async throws(SourceError) -> Holding {
        let holdings = await withTaskGroup(of: (Int, Result<Holding, SourceError>).self) { group in
            for (index, source) in sources.enumerated() {
                group.addTask {
                    do throws(SourceError) { return (index, .success(try await source.holding())) } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var found: [Int: Result<Holding, SourceError>] = [:]
            for await (index, holding) in group { found[index] = holding }
            return found
        }
        var all = Holding([])
        for (index, source) in sources.enumerated() {
            switch holdings[index] {
            case .success(let holding)?:
                all.parts += holding.parts.map { Holding.Part(origin: source.address.name, $0.result, lastGood: $0.lastGood) }
                all.troubles += holding.troubles
            case .failure(let error)?: all.parts.append(.init(origin: source.address.name, .failure(error)))
            case nil: break
            }
        }
        return all
    }

    /// Several repositories have no revision in common: ``holding()`` tells the parts.
    public func snapshot() async throws(SourceError) -> Snapshot {
        guard let only = sources.first, sources.count == 1 else {
            throw SourceError(.refused, "several repositories are read side by side, and not as one")
        }
        return try await only.snapshot()
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        if older.kind == newer.kind, older.id == newer.id { return .same }
        for source in sources where await source.holds(newer) { return try await source.relation(of: older, to: newer) }
        return .unknown
    }

    public func accept(_ snapshot: Snapshot) async {
        for source in sources { await source.accept(snapshot) }
    }
}
