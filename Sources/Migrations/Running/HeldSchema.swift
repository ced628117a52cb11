import MigrationFiles
import Model
import ProviderKit
import SQL
import SQLParsing
import Synchronization

/// One database in one pass: what was read of it, and the session that holds its lease and moves it.
actor HeldSchema {
    private let reading: SchemaReading
    private let session: MigrationSession
    /// What is applied, in order; for the tables that record only the last one.
    private var standing: [AdoptedTable.Entry]
    /// Which repeatable migration was run last.
    private var lastRepeatable: String?
    private let progress: ProgressLine
    /// What came into being on this way: nobody has to approve that it goes again.
    private var made = MadeOnTheWay()

    private init(_ reading: SchemaReading, _ session: MigrationSession, _ progress: ProgressLine) {
        self.reading = reading
        self.session = session
        self.progress = progress
        standing = reading.set.applied.map(\.entry)
        lastRepeatable = reading.lastRepeatable?.version
    }

    /// How long somebody else who is at work is waited for before the pass says so.
    private static let patience = Duration.seconds(2)

    /// Takes the lease, and makes the tables that are missing.
    static func begin(
        _ reading: SchemaReading, _ request: SchemaRequest,
        connect: @escaping @Sendable (_ isDirect: Bool) async throws(SQLError) -> any SQLConnection
    ) async -> Result<HeldSchema, Problem> {
        let progress = ProgressLine()
        var settings = MigrationSession.Settings(
            table: reading.table.name, run: request.run, actor: request.actor, commit: request.commit, connect: connect)
        settings.patience = patience
        settings.creation = reading.tableExists ? nil : reading.table.creation
        settings.progress = { progress.tell($0) }
        switch await MigrationSession.open(settings) {
        case .success(let session): return .success(HeldSchema(reading, session, progress))
        case .failure(let problem): return .failure(reading.naming(problem))
        }
    }

    func close() async { await session.close() }

    /// Prolongs the lease, unless a migration does that already.
    func keep() async { await session.keep() }

    /// Runs one migration.
    func run(
        _ change: MigrationChange, _ request: SchemaRequest, progress tell: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        guard let entry = reading.entry(change.version) else { return .failed(.scriptMissing(change, reading.database)) }
        let script: SchemaReading.Resolved
        switch reading.script(of: change) {
        case .success(let found): script = found
        case .failure(let problem): return .failed(problem)
        }
        progress.listen(tell)
        if change.isUp, let problem = await saveBefore(change, request, tell) { return .failed(problem) }
        let job: MigrationJob
        switch await self.job(change, entry, script, request) {
        case .success(let made): job = made
        case .failure(let problem): return .failed(reading.naming(problem))
        }
        switch await session.run(job) {
        case .done(let text):
            standing.removeAll { $0.stem == entry.stem }
            if change.isRepeatable { lastRepeatable = entry.stem } else if change.isUp { standing.append(entry) }
            made.add(script.facts)
            return .done(text)
        case .failed(let problem): return .failed(reading.naming(problem))
        case .undecided(let problem): return .undecided(reading.naming(problem))
        }
    }

    /// Saves the whole database before what nothing takes back, where the policy is to restore that then. Not again where this pass has saved
    /// it as it is, and not in the middle of what was interrupted.
    private func saveBefore(
        _ change: MigrationChange, _ request: SchemaRequest, _ tell: @escaping @Sendable (String) -> Void
    ) async -> Problem? {
        guard reading.database.migrations.onIrreversible == .restore, !change.isRepeatable, reading.hasNoWayBack(change.version),
            reading.interrupted[change.version] == nil
        else { return nil }
        var backup = ScopedBackup(reading.database, version: change.version, request)
        let applied = standing.map(\.stem)
        backup.applied = applied
        let name = reading.database.name
        do throws(Problem) {
            let store = BackupStore(directory: request.backups, system: request.system, key: request.key)
            let known = try await store.newest {
                $0.run == request.run && $0.database == name && $0.isWhole && $0.beforeRestore == nil && $0.applied == applied
            }
            guard known == nil else { return nil }
        } catch {
            return reading.naming(error)
        }
        let saving = backup
        switch await session.look({ connection throws(SQLError) in await saving.saveAll(from: connection, progress: tell) }) {
        case .failure(let problem): return reading.naming(problem)
        case .success(.failure(let problem)): return problem
        case .success(.success(let id)):
            tell("saved as the backup \(id)")
            return nil
        }
    }

    func resolve(_ version: String, _ resolution: Resolution) async -> Problem? {
        if resolution == .undo, reading.archive[version]?.isRepeatable == true {
            return reading.naming(
                Problem("Irreversible", "\(version) is repeatable: nothing takes it back", next: "say --done or --retry"))
        }
        return await session.resolve(version, resolution).map(reading.naming)
    }

    // MARK: - Adopting

    /// Keeps copies of what was applied before Belay came, and records what a baseline says: with that, the way back needs no file.
    func adopt(_ request: SchemaRequest) async -> Problem? {
        let archive = Archive(reading.table.engine)
        var runs: [SQLRun] = []
        let recorded = Set(reading.recordedStems)
        for applied in reading.set.applied where applied.isPresumed && !recorded.contains(applied.entry.stem) {
            if !reading.table.kind.isHighWaterMark || applied.entry.stem == reading.lastPresumed {
                runs += reading.table.recordUp(applied.entry).map { SQLRun($0) }
            }
        }
        var rows = reading.unkept.map { reading.row(of: $0.entry, request, state: $0.isPresumed ? .presumed : .applied) }
        let last = reading.set.applied.last?.entry.stem
        if reading.database.migrations.verify != .off, let index = rows.firstIndex(where: { $0.version == last }) {
            let fingerprint = reading.fingerprint
            switch await session.look({ connection throws(SQLError) in try await fingerprint(connection) }) {
            case .failure(let problem): return reading.naming(problem)
            case .success(let now): (rows[index].fingerprintAfter, rows[index].linesAfter) = (now.hash, now.lines)
            }
        }
        runs += rows.map { archive.write($0, .onlyIfAbsent) }
        return await session.write(runs).map(reading.naming)
    }

    // MARK: - Jobs

    private func job(
        _ change: MigrationChange, _ entry: AdoptedTable.Entry, _ script: SchemaReading.Resolved, _ request: SchemaRequest
    ) async -> Result<MigrationJob, Problem> {
        let table = reading.table
        let settings = reading.database.migrations
        let before = standing.last { $0.stem != change.version }
        var job = MigrationJob(
            version: change.version, name: entry.name, isUp: change.isUp, script: script.script, facts: script.facts, path: script.path,
            recorded: table.recorded(entry),
            records: (change.isUp ? table.recordUp(entry) : table.recordDown(entry, previous: before)).map { SQLRun($0) },
            archive: reading.row(of: entry, request, state: .applied, isUp: change.isUp), timeouts: settings.timeouts)
        if settings.verify != .off {
            job.verify = settings.verify
            job.fingerprint = reading.fingerprint
            if reading.table.engine == .postgres { job.question = reading.schemaQuestion }
            if !change.isUp, let problem = await expect(&job) { return .failure(problem) }
        }
        if !change.isUp { job.witness = lastRepeatable }
        // What was there when it was planned is lost, whatever the scripts before say that they make.
        let isOfTheWay = change.script?.losses.isEmpty ?? false
        let losses = script.facts.losses.filter { !isOfTheWay || !made.holds($0) }
        guard !losses.isEmpty else { return .success(job) }
        job.tablesAtRisk = LossCount.names(losses)
        job.approvedRows = request.approvedRows
        job.count = { connection throws(SQLError) in
            let count = try await LossCount(losses, on: connection)
            return MigrationJob.AtRisk(rows: count.rows, tables: count.tables)
        }
        if settings.backup != .none {
            var scoped = ScopedBackup(reading.database, version: change.version, request)
            scoped.applied = standing.map(\.stem)
            let backup = scoped
            job.backup = { moment, connection in await backup.save(moment, from: connection) }
        }
        return .success(job)
    }

    /// How the schema was before the migration that is taken back, where that was written down. What repeatable migrations that were run since
    /// changed stays as it is. Returns why that could not be asked: without it, nothing would be compared.
    private func expect(_ job: inout MigrationJob) async -> Problem? {
        let archive = Archive(reading.table.engine)
        let version = job.version
        let witness = lastRepeatable
        let found = await session.look { connection throws(SQLError) in
            let row = try await archive.row(of: version, on: connection)
            guard let witness else { return (row, ArchiveRow?.none) }
            return (row, try await archive.row(of: witness, on: connection))
        }
        let (recorded, repeatable): (ArchiveRow?, ArchiveRow?)
        switch found {
        case .success(let rows): (recorded, repeatable) = rows
        case .failure(let problem): return problem
        }
        guard let row = recorded, let hash = row.fingerprintBefore else { return nil }
        if let repeatable, repeatable.sequence > row.sequence {
            guard row.linesBefore != nil, let then = row.linesAfter, let now = repeatable.linesAfter else { return nil }
            func lines(_ text: String) -> Set<String> { Set(text.split(separator: "\n").map(String.init)) }
            job.tolerated = lines(then).symmetricDifference(lines(now))
        }
        job.expected = MigrationJob.SchemaState(hash: hash, lines: row.linesBefore)
        return nil
    }
}

/// Where lines of progress go; changes with every migration.
private final class ProgressLine: Sendable {
    private let listener = Mutex<(@Sendable (String) -> Void)?>(nil)

    func listen(_ tell: @escaping @Sendable (String) -> Void) { listener.withLock { $0 = tell } }
    func tell(_ line: String) { listener.withLock { $0 }?(line) }
}

extension MigrationJob.SchemaState {
    init(_ fingerprint: SchemaFingerprint) {
        self.init(hash: fingerprint.hash, lines: fingerprint.lines.joined(separator: "\n"))
    }
}

extension SchemaRequest {
    var commit: String? { revision.kind == .commit ? revision.id : nil }
}

extension SchemaReading {
    /// Reads the schema as it is, without the tables of records.
    var fingerprint: @Sendable (any SQLConnection) async throws(SQLError) -> MigrationJob.SchemaState {
        let excluded = [table.plainName]
        return { connection throws(SQLError) in
            MigrationJob.SchemaState(try await SchemaFingerprint.take(on: connection, excluding: excluded))
        }
    }

    /// The same as one query of PostgreSQL.
    var schemaQuestion: MigrationJob.SchemaQuestion {
        MigrationJob.SchemaQuestion(
            run: SQLRun(SchemaFingerprint.postgresQuery, SchemaFingerprint.postgresParameters(excluding: [table.plainName]))
        ) { MigrationJob.SchemaState(SchemaFingerprint(postgres: $0.scalar ?? "")) }
    }

    /// What the database is to keep of a migration: what stands in its file, or the copy that is kept already, where that is what counts.
    func row(of entry: AdoptedTable.Entry, _ request: SchemaRequest, state: ArchiveRow.State, isUp: Bool = true) -> ArchiveRow {
        if let kept = archive[entry.stem], outlives(kept, isUp: isUp) {
            var row = kept
            (row.state, row.appliedBy, row.run) = (state, request.actor, request.run)
            (row.appliedAt, row.milliseconds) = (nil, nil)
            (row.fingerprintBefore, row.linesBefore, row.fingerprintAfter, row.linesAfter) = (nil, nil, nil, nil)
            return row
        }
        let file = file(entry.stem)
        return ArchiveRow(
            version: entry.stem, name: entry.name, sequence: 0, state: state, upSQL: file?.up.text, downSQL: file?.down?.text,
            upIsTransactional: file?.up.isTransactional ?? true, downIsTransactional: file?.down?.isTransactional ?? true,
            upFingerprint: file.flatMap { SQLScript.cosmeticFingerprint($0.up.text, dialect: dialect) },
            sourceCommit: request.commit, sourcePath: entry.path, format: directory.format.rawValue, appliedBy: request.actor,
            run: request.run
        ).signed(request.key)
    }

    /// Whether a copy says more of a migration than its file does: without a file or without a down script in it, and on the way back also
    /// where the file is not what was applied. Its signature fits only what it was made for, so that it is kept as a whole.
    private func outlives(_ kept: ArchiveRow, isUp: Bool) -> Bool {
        guard let file = file(kept.version) else { return true }
        if isUp { return file.down == nil && kept.downSQL != nil && kept.upHash == ArchiveSignature.hash(file.up.text) }
        return file.down == nil || isEdited(file)
    }

    func naming(_ problem: Problem) -> Problem {
        problem.message.hasPrefix("\(database.id)")
            ? problem
            : Problem(problem.reason, "\(database.id): \(problem.message)", next: problem.next, retryAfter: problem.retryAfter)
    }
}
