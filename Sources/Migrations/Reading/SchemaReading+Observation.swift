import MigrationFiles
import Model
import SQL
import SQLParsing

extension SchemaReading {
    /// What a plan is made from. Asks the database about the ways that lead to the pin, and nothing else.
    /// - Parameter readsAll: false: what no way leads through is not read closely.
    func observation(
        on connection: any SQLConnection, engine: String, readsAll: Bool = true
    ) async throws(SQLError) -> DatabaseObservation {
        let path = MigrationPath(self)
        var blockers = set.problems + standstills
        var migrations: [DatabaseObservation.Migration] = []
        for stem in stems {
            let applied = applied(stem)
            var migration = DatabaseObservation.Migration(version: stem, down: nil, isInSource: file(stem) != nil)
            migration.isPresumed = applied?.isPresumed ?? false
            if !readsAll, !path.downs.contains(stem), !path.ups.contains(stem), let hasWayBack = hasWayBackUnread(stem) {
                migration.down = hasWayBack && applied != nil ? .instant : nil
                migrations.append(migration)
                continue
            }
            switch scripts(of: stem) {
            case .success(let (up, down)):
                migration.class = phase(of: stem, up)
                if let down, applied != nil || path.ups.contains(stem) {
                    migration.down = down.facts.losses.isEmpty ? .instant : .dataLoss
                }
                if path.downs.contains(stem), let down {
                    let script = try await script(down, occasion: archive[stem]?.sequence ?? 0, on: connection)
                    migration.downScript = script
                    migration.downOnlyTakesAway = down.onlyTakesAway
                    migration.down = script.isDestructive ? .dataLoss : .instant
                    if let problem = refusal(of: down, stem) { blockers.append(problem) }
                } else if path.downs.contains(stem), isTampered(stem) {
                    blockers.append(tampered(stem))
                } else if path.downs.contains(stem), down == nil, isHistoryShallow {
                    blockers.append(cutOff(stem))
                }
                if path.ups.contains(stem), let up {
                    migration.upScript = try await script(up, occasion: archive[stem]?.sequence ?? 0, on: connection)
                    if let problem = refusal(of: up, stem) { blockers.append(problem) }
                }
            case .failure(let error):
                // What nobody is about to run may stay as it is.
                guard path.downs.contains(stem) || path.ups.contains(stem) else { break }
                blockers.append(syntaxError(stem, error))
            }
            migrations.append(migration)
        }
        let repeatables = try await repeatables(on: connection, &blockers)
        let edited = directory.migrations.filter { applied($0.stem) != nil && isEdited($0) }
        for file in edited { blockers.append(checksumMismatch(file)) }
        let drift = try await drift(on: connection)
        if let problem = obstacle(drift, path) { blockers.append(problem) }
        return DatabaseObservation(
            applied: set.applied.map(\.entry.stem), migrations: migrations, blockers: blockers, notes: notes(path),
            summary: .init(
                engine: engine, table: "\(table.name) (\(table.kind.rawValue))", format: directory.format.rawValue,
                edited: edited.map(\.stem), reversible: migrations.count { applied($0.version) != nil && $0.down != nil },
                unkept: unkept.count, drift: drift?.lines()), repeatables: repeatables)
    }

    /// What keeps the schema from being moved at all.
    private var standstills: [Problem] {
        var problems: [Problem] = []
        if isInhabited, set.applied.isEmpty, database.migrations.baseline == nil { problems.append(.unadopted(database, table.name)) }
        if let baseline = database.migrations.baseline,
            !directory.migrations.contains(where: { $0.stem == baseline || $0.number == baseline })
        {
            problems.append(
                Problem(
                    "BaselineNotFound", "\(database.id): migrations.baseline is \(baseline), and no file bears that name",
                    next: "name one of the files: \(directory.migrations.suffix(3).map(\.stem).joined(separator: ", "))"))
        }
        for (stem, state) in interrupted.sorted(by: { $0.key < $1.key }) where state == .stuck {
            problems.append(
                Problem(
                    "MigrationStuck",
                    "\(database.id): \(stem) was interrupted, and nothing tells whether its last statement took effect",
                    next: "look, then say so: reconcile migrate resolve \(stem) --done, --retry or --undo"))
        }
        return problems + lostRepeatables
    }

    private func scripts(of stem: String) -> Result<(up: Resolved?, down: Resolved?), ParseError> {
        do throws(ParseError) { return .success((try up(stem), try down(stem))) } catch { return .failure(error) }
    }

    private func cutOff(_ stem: String) -> Problem {
        Problem(
            "ShallowHistory",
            "\(database.id): there is no down migration of \(stem) at hand, and the Git history was cut off when it was cloned",
            next: "git fetch --unshallow (in CI: a checkout with its whole history), or restore the file of \(stem)")
    }

    private func tampered(_ stem: String) -> Problem {
        Problem(
            "ArchiveTampered",
            "\(database.id): the script that the database kept to take \(stem) back is not signed with this key, or was changed",
            next: "restore the file, or set the BELAY_KEY that it was signed with")
    }

    private func notes(_ path: MigrationPath) -> [String] {
        var notes: [String] = []
        for (stem, state) in interrupted.sorted(by: { $0.key < $1.key }) where state != .stuck {
            notes.append(
                "\(stem) is half-way \(state == .applyingUp ? "up" : "down"): if nobody is at work, the next run goes on from there")
        }
        let known = Set(recordedStems)
        let presumed = set.applied.filter { $0.isPresumed && (table.kind.isHighWaterMark || !known.contains($0.entry.stem)) }.map(
            \.entry.stem)
        if let first = presumed.first {
            let what = presumed.count == 1 ? first : "\(presumed.count) migrations, \(first) to \(presumed[presumed.count - 1]),"
            notes.append(
                table.kind.isHighWaterMark
                    ? "\(table.name) records only the highest version: \(what) presumed to be applied"
                    : "\(what) presumed to be applied: the baseline says so, and \(table.name) does not")
        }
        let tampered = archive.keys.filter { isTampered($0) && applied($0) != nil }.sorted()
        if !tampered.isEmpty { notes.append("kept scripts that are not signed with this key: \(tampered.joined(separator: ", "))") }
        if path.pin == nil, let row = archive[database.schema] {
            let commit = row.sourceCommit.map { ", from commit \($0)" } ?? ""
            let file = row.sourcePath.map { ", file \($0)" } ?? ""
            notes.append("\(row.version) was applied here once\(commit)\(file); its file is not in the source now")
        }
        return notes
    }

    func phase(of stem: String, _ up: Resolved?) -> DatabaseObservation.Migration.Class {
        switch file(stem)?.declaredPhase {
        case .expand, .either: .expand
        case .contract: .contract
        case nil: up?.facts.phase == .contract ? .contract : .expand
        }
    }

    /// What cannot be run as it stands.
    func refusal(of script: Resolved, _ stem: String) -> Problem? {
        let alone = script.facts.nonTransactional.count == script.facts.statements.count
        if script.isTransactional || (script.script.isTransactional == nil && !alone), let index = script.facts.nonTransactional.first {
            return Problem(
                "NonTransactionalStatement",
                "\(database.id): \(script.path): \(script.facts.summary[index]) cannot run inside a transaction",
                next: "put it into a migration of its own, and mark that as not transactional")
        }
        guard let control = script.facts.facts.firstIndex(where: { $0.control != nil }) else { return nil }
        return Problem(
            "TransactionControlInMigration",
            "\(database.id): \(script.path):\(script.script.firstLine + script.facts.statements[control].line - 1): a migration must not control "
                + "the transaction that it runs in", next: "take it out, or split the file")
    }

    func script(_ resolved: Resolved, occasion: Int, on connection: any SQLConnection) async throws(SQLError)
        -> DatabaseObservation.Script
    {
        let losses = try await LossCount(resolved.facts.losses, on: connection)
        // There the whole file is saved.
        let isFileSaved = connection.engine == .sqlite && !losses.tables.isEmpty
        let file = isFileSaved ? try await Self.fileBytes(connection) : nil
        return DatabaseObservation.Script(
            hash: resolved.hash, origin: resolved.origin, isTransactional: resolved.isTransactional, losses: losses.words,
            rowsAtRisk: losses.rows, backupBytes: losses.bytes ?? file, occasion: occasion, summary: resolved.facts.summary,
            cautions: resolved.facts.cautions
                + (losses.isOfWholeTables ? ["at most so many rows: of a table whose rows a condition chooses all are counted"] : [])
                + (losses.isEstimated ? ["about so many rows: counting them took longer than 2 s"] : [])
                + (resolved.isTransactional
                    ? []
                    : [
                        "outside of a transaction: each statement takes effect by itself"
                            + (losses.tables.isEmpty ? "" : ", and what is written after the backup was taken is not in it")
                    ])
                + (resolved.facts.isMixed ? ["adds and takes away in one migration: it counts as taking away"] : []))
    }

    private static func fileBytes(_ connection: any SQLConnection) async throws(SQLError) -> Int? {
        let answer = try await connection.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return answer.scalar.flatMap { Int($0) }
    }

    private func checksumMismatch(_ file: MigrationFile) -> Problem {
        let hash = ArchiveSignature.hash(file.up.text)
        let lines = archive[file.stem]?.upSQL.map { LineDifference(from: $0, to: file.up.text).description } ?? ""
        return Problem(
            "ChecksumMismatch",
            "\(database.id): \(file.stem) is applied, and its file was changed since in more than its layout"
                + (lines.isEmpty ? "" : ": \(lines)"),
            next: "bring the file back to what was applied, or accept it with migrations.acceptEdited: {\(file.stem): \(hash.prefix(16))}")
    }
}
