import Model

/// One database's way from where its schema stands to its pin.
struct SchemaMove {
    /// Positions in the order of the migrations; -1 is the empty schema.
    struct Span {
        var current: Int
        /// Where the down migrations end; ``current`` when there are none.
        var low: Int
        /// Where the schema stands after `migrate-down` and `migrate-up`, until the contract migrations run.
        var middle: Int
        var target: Int

        /// Every state after the first in which something may run, each once, in the order in which they are passed.
        var states: [Int] {
            var states: [Int] = []
            for state in statesBeforeAdvance + [target] where !states.contains(state) { states.append(state) }
            return states
        }
        /// The states before the components advance: what comes only then need not live with them.
        var statesUntilAdvance: [Int] { low == current || low == middle ? [current] : [current, low] }
        /// The states that what comes after the schema has moved has to live with.
        var statesFromAdvance: [Int] { middle == target ? [target] : [middle, target] }
        /// The states that what leaves after the schema has moved has to live with.
        var statesBeforeAdvance: [Int] { low == current || low == middle ? [middle] : [low, middle] }
    }

    let database: Database
    let migrations: [DatabaseObservation.Migration]
    let positions: [String: Int]
    /// Nil: where the schema stands, or where the pin is, is unknown.
    private(set) var span: Span?
    /// Down migrations, in the order in which they are run: what was applied last comes first.
    private(set) var downs: [DatabaseObservation.Migration] = []
    /// Repeatable migrations that run before the way back: what it takes away may be shown by what they replace.
    private(set) var preludes: [DatabaseObservation.Migration] = []
    /// Up migrations before the components advance, and the repeatable ones that are due then.
    private(set) var expands: [DatabaseObservation.Migration] = []
    /// Up migrations after everything else: from the first that contracts on, because migrations are applied in their order.
    private(set) var contracts: [DatabaseObservation.Migration] = []
    /// True if the schema's position changes; repeatable migrations change none.
    private(set) var isMoving = false
    var blocked: Blocked?

    var id: ResourceID { database.id }
    /// True if nobody knows where the schema stands or should stand.
    var isUnknown: Bool { span == nil }
    /// True if anything is to be run.
    var hasWork: Bool { isMoving || !expands.isEmpty || !contracts.isEmpty }
    /// True if there is more to do than its contract migrations.
    var movesBeforeContracting: Bool { !downs.isEmpty || !expands.isEmpty }
    /// True if down migrations are to be run, or were run since the open transition began.
    private(set) var goesBack = false
    /// True if a backup is restored on the way.
    var restores: Bool { downs.contains { $0.downScript?.restoredBackup != nil } }
    /// The pinned migration's full name; the pin itself where it has none.
    var pinned: String { span.map { name($0.target, empty: Database.emptySchema) } ?? database.schema }

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
        if let blocker = observation.blockers.first {
            blocked = Blocked(database.id, .decision, blocker)
            return
        }
        let path = SchemaPath(database, migrations: migrations, positions: positions, applied: applied)
        switch path.target {
        case .failure(let problem):
            blocked = Blocked(database.id, .failure, problem)
            return
        case .success(let target):
            walk(path, from: applied.compactMap { positions[$0] }.max() ?? -1, to: target, start: start.flatMap { positions[$0] })
            // Of the empty schema there is nothing that they could be about.
            if target >= 0 { append(observation.repeatables.filter { $0.repetition != .unchanged }) }
        }
        blocked = path.problem.map { Blocked(database.id, .decision, $0) }
    }

    private mutating func walk(_ path: SchemaPath, from current: Int, to target: Int, start: Int?) {
        downs = path.downs.map { migrations[$0] }
        goesBack = !downs.isEmpty || start.map { $0 > target } ?? false
        let remaining = path.remaining.max() ?? -1
        let low = path.downs.isEmpty ? current : remaining
        let origin = start.map { $0 <= current ? $0 : current } ?? current
        // What an open transition began with counts: a contract migration that it has applied already keeps the later ones behind it.
        let begun = origin < target ? migrations[(origin + 1)...target].firstIndex { $0.class == .contract } : nil
        let split = path.ups.firstIndex { migrations[$0].class == .contract || $0 > begun ?? .max } ?? path.ups.count
        expands = path.ups[..<split].map { migrations[$0] }
        contracts = path.ups[split...].map { migrations[$0] }
        isMoving = !downs.isEmpty || !expands.isEmpty || !contracts.isEmpty
        let middle = contracts.isEmpty ? target : max(low, path.ups[..<split].max() ?? -1)
        span = Span(current: current, low: low, middle: middle, target: target)
    }

    /// Repeatable migrations come after the versioned ones and keep their own order. Where a versioned one that adds something waits behind a
    /// contract migration, they wait with it: they may be about what it adds.
    ///
    /// Before a way back that only takes away they run first: they are those of the older schema, and a view that shows a column keeps it from
    /// being dropped.
    private mutating func append(_ due: [DatabaseObservation.Migration]) {
        let waits = contracts.contains { $0.class == .expand }
        let split = waits ? 0 : due.firstIndex { $0.class == .contract } ?? due.count
        if !downs.isEmpty, expands.isEmpty, contracts.isEmpty, downs.allSatisfy(\.downOnlyTakesAway) {
            preludes += due[..<split]
        } else {
            expands += due[..<split]
        }
        contracts += due[split...]
    }

    /// Where a migration stands that somebody named in full, or by a number that only it has; nil when there is none.
    func position(of name: String) -> Int? {
        if let position = positions[name] { return position }
        guard case .success(let position) = SchemaPin(name, among: migrations).position(of: id) else { return nil }
        return position
    }

    /// For people; the version at a position.
    func name(_ position: Int, empty: String = "the empty schema") -> String {
        migrations.indices.contains(position) ? migrations[position].version : empty
    }

    /// The migration that leads out of a position on the way from `current` to `other`.
    func migration(from position: Int, towards other: Int) -> String {
        name(position < other ? position + 1 : position)
    }
}
