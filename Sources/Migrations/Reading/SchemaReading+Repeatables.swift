import MigrationFiles
import Model
import SQL
import SQLParsing

extension SchemaReading {
    /// How each repeatable migration stands to its latest run, with the scripts of those that are due. What cannot be run is added to the
    /// blockers.
    func repeatables(
        on connection: any SQLConnection, _ blockers: inout [Problem]
    ) async throws(SQLError) -> [DatabaseObservation.Migration] {
        var found: [DatabaseObservation.Migration] = []
        for file in repeatables {
            var migration = DatabaseObservation.Migration(version: file.stem, down: nil, repetition: repetition(of: file))
            if migration.repetition != .unchanged, let pin, pin >= 0 {
                var up: Resolved?
                do throws(ParseError) { up = try self.up(file.stem).map(Self.replacing) } catch {
                    blockers.append(syntaxError(file.stem, error))
                }
                if let up {
                    migration.class = phase(of: file.stem, up)
                    migration.upScript = try await script(up, occasion: archive[file.stem]?.sequence ?? 0, on: connection)
                    if let problem = refusal(of: up, file.stem) { blockers.append(problem) }
                }
            }
            found.append(migration)
        }
        return found
    }

    /// Views and triggers that a script drops and makes anew within its transaction are replaced, and nobody is without them: SQLite has no
    /// other way to say so.
    private static func replacing(_ script: Resolved) -> Resolved {
        guard script.isTransactional, script.facts.phase == .contract else { return script }
        let facts = script.facts.facts
        let isReplacement = facts.indices.filter { facts[$0].phase == .contract }.allSatisfy { index in
            guard facts[index].losses.isEmpty, case .dropped(let object, let name) = facts[index].probe,
                [.view, .trigger].contains(object)
            else { return false }
            return facts[(index + 1)...].contains { $0.probe == .created(object, name) }
        }
        guard isReplacement else { return script }
        var script = script
        (script.facts.phase, script.facts.isMixed) = (.expand, false)
        return script
    }

    /// Flyway finds the latest run by the description, and compares its checksum with the file's.
    private func repetition(of file: MigrationFile) -> DatabaseObservation.Migration.Repetition {
        let entry = AdoptedTable.Entry(file)
        guard let checksum = set.repeatables[entry.flywayDescription] else { return .new }
        return checksum == String(ToolChecksum.flyway(entry.bytes)) && interrupted[file.stem] == nil ? .unchanged : .changed
    }

    /// The one of which the database remembers that it was run last.
    var lastRepeatable: ArchiveRow? {
        archive.values.filter(\.isStandingRepeatable).max { $0.sequence < $1.sequence }
    }

    /// Half of it is there, and the rest is nowhere.
    var lostRepeatables: [Problem] {
        interrupted.keys.sorted().filter { archive[$0]?.isRepeatable == true && interrupted[$0] != .stuck && file($0) == nil }.map {
            Problem(
                "ScriptMissing", "\(database.id): \($0) was interrupted half-way, and its file is gone", next: "restore the file")
        }
    }
}

extension SchemaReading.Resolved {
    /// True if nothing that the script does adds anything or gives it another name.
    var onlyTakesAway: Bool {
        facts.facts.indices.allSatisfy { index in
            let words = facts.statements[index].text.uppercased().split { !$0.isLetter }
            if ["SET", "COMMENT", "GRANT", "REVOKE"].contains(words.first) { return true }
            return facts.facts[index].phase != .expand && !words.contains("RENAME")
        }
    }
}

extension ArchiveRow {
    /// Flyway's `R__`: it stands at no place among the others.
    static func isRepeatable(_ version: String, format: String?) -> Bool {
        format == MigrationFormat.flyway.rawValue && version.hasPrefix("R__")
    }

    var isRepeatable: Bool { Self.isRepeatable(version, format: format) }
    var isStandingRepeatable: Bool { isRepeatable && state == .applied }
}
