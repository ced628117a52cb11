import MigrationFiles
import Model
import SQL
import SQLParsing

extension SchemaReading {
    /// What is applied and of which the database keeps no copy yet, though its file is there and says what was applied.
    var unkept: [AppliedSet.Applied] {
        self.set.applied.filter { archive[$0.entry.stem] == nil && file($0.entry.stem) != nil && $0.checksumAgrees != false }
    }

    /// What the adopted table itself records.
    var recordedStems: [String] { recorded.applied.map(\.entry.stem) }

    /// The last one that only a baseline tells of.
    var lastPresumed: String? {
        let known = Set(recordedStems)
        return set.applied.last { $0.isPresumed && !known.contains($0.entry.stem) }?.entry.stem
    }

    /// How the schema differs from what it was when the last migration that is applied had been run; nil where that was not written down, or
    /// is not to be looked at. One query where nothing differs.
    func drift(on connection: any SQLConnection) async throws(SQLError) -> SchemaDifference? {
        guard database.migrations.verify != .off, interrupted.isEmpty,
            let last = archive.values.filter({ applied($0.version) != nil || $0.isStandingRepeatable }).max(by: {
                $0.sequence < $1.sequence
            }),
            let expected = last.fingerprintAfter
        else { return nil }
        let now: MigrationJob.SchemaState
        if let schemaNow { now = schemaNow } else { now = try await fingerprint(connection) }
        guard now.hash != expected else { return SchemaDifference(from: [], to: []) }
        let row = try await Archive(connection.engine).row(of: last.version, on: connection)
        guard let lines = row?.linesAfter, let found = now.lines else { return nil }
        func split(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }
        return SchemaDifference(from: split(lines), to: split(found))
    }

    /// A way back is not walked over what somebody changed by hand.
    func obstacle(_ drift: SchemaDifference?, _ path: MigrationPath) -> Problem? {
        guard let drift, !drift.isEmpty else { return nil }
        for stem in stems.reversed() where path.downs.contains(stem) {
            let found: Resolved?
            do throws(ParseError) { found = try down(stem) } catch { continue }
            guard let found, drift.touches(found.facts.relations + found.facts.losses.map(\.object)) else { continue }
            return Problem(
                "SchemaDrift",
                "\(database.id): somebody changed by hand what taking \(stem) back would change: "
                    + drift.lines(limit: 5).joined(separator: "; "),
                next: "undo that change, or write it as a migration of its own; migrations.verify: off looks away")
        }
        return nil
    }
}
