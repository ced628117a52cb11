import Model

/// Which migrations lead from what is applied to the pin: what is applied must be exactly what is known up to the pin.
///
/// A set, not a high-water mark: what was applied after the pin goes back in the order in which it was applied, whether its file is still
/// there or not; nothing is ever left out on the way.
struct SchemaPath {
    /// The position of the pin, -1 for the empty schema; or why there is none.
    let target: Result<Int, Problem>
    /// Positions of the migrations that go back, in the order in which they do.
    private(set) var downs: [Int] = []
    /// Positions of those that are missing, ascending.
    private(set) var ups: [Int] = []
    /// Positions that stay applied throughout.
    private(set) var remaining: [Int] = []
    /// Why the way must not be walked; nil when it may.
    private(set) var problem: Problem?

    private let database: Database
    private let migrations: [DatabaseObservation.Migration]

    init(_ database: Database, migrations: [DatabaseObservation.Migration], positions: [String: Int], applied: [String]) {
        self.database = database
        self.migrations = migrations
        target = SchemaPin(database.schema, among: migrations).position(of: database.id)
        guard case .success(let target) = target else { return }
        let standing = applied.compactMap { positions[$0] }
        guard standing.count == applied.count, Set(standing).count == applied.count else {
            problem = unrecognised(applied.filter { positions[$0] == nil })
            return
        }
        find(standing, target)
        problem = missingBelowPin(standing, target) ?? problem ?? irreversible()
    }

    /// - Parameter standing: positions of what is applied, in the order in which it was.
    private mutating func find(_ standing: [Int], _ target: Int) {
        let isStanding = Set(standing)
        let missing = migrations.indices.filter { $0 <= target && migrations[$0].isInSource && !isStanding.contains($0) }
        let highest = standing.filter { $0 <= target }.max() ?? -1
        let late = missing.filter { $0 < highest }
        var leaves: (Int) -> Bool = { [migrations, database] position in
            position > target || (!migrations[position].isInSource && database.migrations.revert.contains(migrations[position].version))
        }
        if let first = late.first {
            switch database.migrations.outOfOrder {
            case .block: problem = outOfOrder(late, highest)
            case .apply: break
            case .rebase:
                let direct = leaves
                leaves = { $0 > first || direct($0) }
            }
        }
        downs = standing.reversed().filter(leaves)
        // A restore takes everything back that was applied later, whichever way back that has.
        if let restore = downs.lastIndex(where: { migrations[$0].downScript?.restoredBackup != nil }) { downs = Array(downs[restore...]) }
        remaining = standing.filter { !leaves($0) }
        let stays = Set(remaining)
        ups = migrations.indices.filter { $0 <= target && migrations[$0].isInSource && !stays.contains($0) }
    }

    /// The file of an applied migration is gone though the pin stands above it: nobody asked for it to be taken back.
    private func missingBelowPin(_ standing: [Int], _ target: Int) -> Problem? {
        let settings = database.migrations
        let baseline = settings.baseline.flatMap { base in migrations.firstIndex { $0.version == base } } ?? -1
        let gone = standing.sorted().filter { position in
            let migration = migrations[position]
            return position <= target && position > baseline && !migration.isInSource && migration.version != settings.baseline
                && !settings.revert.contains(migration.version)
        }.map { migrations[$0].version }
        guard !gone.isEmpty else { return nil }
        return Problem(
            "MissingBelowPin",
            "\(database.id): applied, at or below the pin, and their files are gone: \(Suggestions.list(gone))",
            next: "restore the files, or take them back with migrations.revert: "
                + "[\(gone.joined(separator: ", "))]")
    }

    private func irreversible() -> Problem? {
        guard let stop = downs.last(where: { migrations[$0].down == nil }) else { return nil }
        let version = migrations[stop].version
        // Up to the one that has no way back, the pin can be moved.
        let nearest = migrations[stop].isInSource ? "pin \(version), the nearest that can be reached" : "restore the file of \(version)"
        return Problem(
            "Irreversible", "\(database.id): \(version) has no down migration, so \(database.schema) cannot be reached; nothing was begun",
            next: "\(nearest), or write its down migration")
    }

    private func outOfOrder(_ late: [Int], _ highest: Int) -> Problem {
        Problem(
            "OutOfOrder",
            "\(database.id): not applied, though a later one (\(migrations[highest].version)) is: "
                + Suggestions.list(late.map { migrations[$0].version }),
            next: "rename them so that they come last, or allow it with migrations.outOfOrder: apply")
    }

    private func unrecognised(_ extra: [String]) -> Problem {
        Problem(
            "ForeignRecord",
            extra.isEmpty
                ? "\(database.id): a migration is recorded as applied twice"
                : "\(database.id): recorded as applied, and nobody knows them: \(Suggestions.list(extra))",
            next: "check that migrations.path and migrations.table belong together")
    }
}
