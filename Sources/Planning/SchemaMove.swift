import Model

/// One database's way from where its schema stands to its pin.
struct SchemaMove {
    /// Positions in the order of the migrations; -1 is the empty schema.
    struct Span {
        var current: Int
        /// Where the schema stands after `migrate-down` and `migrate-up`, until the contract migrations run.
        var middle: Int
        var target: Int
    }

    let database: Database
    let migrations: [DatabaseObservation.Migration]
    let positions: [String: Int]
    /// Nil: where the schema stands, or where the pin is, is unknown.
    private(set) var span: Span?
    var blocked: Blocked?

    var id: ResourceID { database.id }
    /// True if nobody knows where the schema stands or should stand.
    var isUnknown: Bool { span == nil }
    var isMoving: Bool { span.map { $0.current != $0.target } ?? false }

    /// `start` is the version at which an open transition to this target began: it tells the phases when planning again from the middle.
    init(_ database: Database, _ observation: DatabaseObservation?, start: String?) {
        self.database = database
        let observation = observation ?? DatabaseObservation(applied: nil, migrations: [])
        migrations = observation.migrations
        positions = Dictionary(migrations.indices.map { (observation.migrations[$0].version, $0) }, uniquingKeysWith: { first, _ in first })
        guard let applied = observation.applied else {
            let problem = observation.problem ?? Problem("NotObserved", "\(database.id): which migrations are applied was not observed")
            blocked = Blocked(database.id, .failure, problem)
            return
        }
        guard let target = positions[database.schema] else {
            blocked = Blocked(database.id, .failure, pinNotFound())
            return
        }
        let known = migrations.map(\.version)
        guard Set(applied) == Set(known.prefix(applied.count)), Set(applied).count == applied.count else {
            blocked = Blocked(database.id, .decision, outOfOrder(applied))
            return
        }
        let current = applied.count - 1
        span = Span(current: current, middle: middle(from: current, to: target, start: start.flatMap { positions[$0] }), target: target)
        blocked = irreversible(from: current, to: target).map { Blocked(database.id, .decision, $0) }
    }

    /// Down migrations, the newest first.
    var downs: [DatabaseObservation.Migration] {
        guard let span, span.target < span.current else { return [] }
        return migrations[span.target + 1...span.current].reversed()
    }

    /// Up migrations before the components advance.
    var expands: [DatabaseObservation.Migration] {
        guard let span, span.current < span.middle else { return [] }
        return Array(migrations[span.current + 1...span.middle])
    }

    /// Up migrations after everything else: from the first that contracts on, because migrations are applied in their order.
    var contracts: [DatabaseObservation.Migration] {
        guard let span, max(span.current, span.middle) < span.target else { return [] }
        return Array(migrations[max(span.current, span.middle) + 1...span.target])
    }

    /// For people; the version at a position.
    func name(_ position: Int) -> String {
        migrations.indices.contains(position) ? migrations[position].version : "the empty schema"
    }

    /// The migration that leads out of a position on the way from `current` to `other`.
    func migration(from position: Int, towards other: Int) -> String {
        name(position < other ? position + 1 : position)
    }

    private func middle(from current: Int, to target: Int, start: Int?) -> Int {
        guard current < target else { return target }
        let origin = start.map { $0 <= current ? $0 : current } ?? current
        let firstContract = migrations[(origin + 1)...target].firstIndex { $0.class == .contract }
        return firstContract.map { max($0 - 1, current) } ?? target
    }

    private func irreversible(from current: Int, to target: Int) -> Problem? {
        guard target < current, let stop = migrations[target + 1...current].lastIndex(where: { $0.down == nil }) else { return nil }
        return Problem(
            "Irreversible", "\(database.id): \(migrations[stop].version) has no down migration, so \(database.schema) cannot be reached",
            next: "pin \(migrations[stop].version), the nearest that can be reached, or write its down migration")
    }

    private func pinNotFound() -> Problem {
        let versions = migrations.map(\.version)
        let nearest = Suggestions.nearest(to: database.schema, among: versions).map { "did you mean \($0)? Else pin" } ?? "pin"
        return Problem(
            "PinNotFound", "\(database.id): there is no migration \(database.schema)",
            next: versions.isEmpty ? "check the path of the migrations" : "\(nearest) one of: \(Suggestions.list(versions.reversed()))")
    }

    private func outOfOrder(_ applied: [String]) -> Problem {
        let expected = migrations.prefix(applied.count).map(\.version)
        let missing = expected.filter { !applied.contains($0) }
        let extra = applied.filter { !expected.contains($0) }
        return Problem(
            "OutOfOrder",
            "\(database.id): the applied migrations are not the first \(applied.count) in order"
                + (missing.isEmpty ? "" : "; not applied: \(Suggestions.list(missing))")
                + (extra.isEmpty ? "" : "; applied though later or unknown: \(Suggestions.list(extra))"),
            next: "restore the missing files, or bring the schema to a position in the order by hand")
    }
}
