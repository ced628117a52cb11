public import MigrationFiles
public import Migrations
public import Model
internal import SQLParsing
public import Sources

/// The down scripts that the Git history of a database's migrations still has.
///
/// A script is taken only from a commit whose up script is the one that was applied, by its hash. Where the database remembers no hash, only
/// if all of a whole history has one such migration. Costs nothing until it is asked, and little when it is asked again.
public struct GitMigrationHistory: MigrationHistory {
    private let settings: MigrationSettings
    private let dialect: SQLDialect
    private let answers: GitAnswers
    private let git: Git

    /// - Parameters:
    ///   - answers: what was found before.
    ///   - git: as it reaches the host of a repository whose old contents are fetched when they are needed.
    public init(_ database: Database, answers: GitAnswers = GitAnswers(), git: Git = Git()) {
        settings = database.migrations
        self.git = git
        self.answers = answers
        dialect =
            switch database.connection {
            case .postgres: .postgres
            case .sqlite: .sqlite
            }
    }

    public var isShallow: Bool {
        get async {
            do throws(SourceError) {
                return try await GitHistory(of: settings.path, git: git)?.isShallow ?? false
            } catch {
                return false  // A history that cannot be read has nothing, however long it is.
            }
        }
    }

    public func down(of version: String, path: String?, upHash: String?) async -> (script: MigrationScript, commit: String)? {
        do throws(SourceError) {
            guard let history = try await GitHistory(of: settings.path, git: git) else { return nil }
            let question = try await history.tips.map {
                GitAnswers.Question(
                    tips: $0, path: settings.path, format: settings.format, order: settings.order, dialect: dialect, version: version,
                    file: path, upHash: upHash)
            }
            if let question, let known = answers.known(question) { return known }
            let found = try await search(for: version, path: path, upHash: upHash, in: history)
            if let question, let found { answers.remember(found, for: question) }
            return found
        } catch {
            return nil  // The plan is refused then as it is without any history.
        }
    }

    private func search(
        for version: String, path: String?, upHash: String?, in history: GitHistory
    ) async throws(SourceError) -> (script: MigrationScript, commit: String)? {
        let search = Search(version: version, path: path, settings: settings, dialect: dialect, history: history)
        if let upHash {
            // The own branch first: on another one somebody may have written another way back.
            for reach in [GitHistory.Reach.head, .all] {
                if let found = try await search.versions(in: reach, where: { $0.upHash == upHash.lowercased() }, limit: 1).first {
                    return found.answer
                }
            }
            return nil
        }
        if try await history.isShallow { return nil }
        let versions = try await search.versions(in: .all, where: { _ in true }, limit: .max)
        let isOne = Set(versions.map { [$0.upHash, $0.script.text] }).count == 1
        return isOne ? versions.first?.answer : nil
    }
}

/// The search for one migration.
private struct Search {
    var version: String
    var path: String?
    var settings: MigrationSettings
    var dialect: SQLDialect
    var history: GitHistory

    /// The migration as one commit has it.
    struct Version {
        var upHash: String
        var script: MigrationScript
        var commit: String

        var answer: (script: MigrationScript, commit: String) { (script, commit) }
    }

    /// How many commits of one migration are looked at.
    private static let depth = 200

    func versions(
        in reach: GitHistory.Reach, where isMeant: (Version) -> Bool, limit: Int
    ) async throws(SourceError) -> [Version] {
        var found: [Version] = []
        let changes = try await history.changes(in: reach).filter { $0.paths.contains(where: mayBelong) }
        for change in changes.prefix(Self.depth) {
            for version in try await read(at: change.commit) where isMeant(version) {
                found.append(version)
                if found.count >= limit { return found }
            }
        }
        return found
    }

    /// The migration in each of the formats that its files fit.
    private func read(at commit: String) async throws(SourceError) -> [Version] {
        let paths = try await history.paths(at: commit)
        let own = try await sources(paths.filter(mayBelong), commit)
        let formats = settings.format.flatMap { MigrationFormat(rawValue: $0) }.map { [$0] } ?? MigrationFormat.fitting(own)
        var versions: [Version] = []
        for format in formats {
            // Some formats can only be read as a whole: their numbers have no gaps.
            var file = migration(in: own, format)
            if file == nil { file = migration(in: try await sources(paths, commit), format) }
            guard let file, let down = file.down else { continue }
            versions.append(Version(upHash: ArchiveSignature.hash(file.up.text), script: down, commit: commit))
        }
        return versions
    }

    private func migration(in sources: [MigrationSource], _ format: MigrationFormat) -> MigrationFile? {
        do throws(MigrationFileErrors) {
            let order = settings.order.flatMap { MigrationOrder(rawValue: $0) } ?? (format == .flyway ? nil : .numeric)
            let directory = try MigrationDirectory(reading: sources, format: format, order: order, dialect: dialect)
            return directory.migrations.first { $0.stem == version }
                ?? directory.migrations.first { $0.number.map(Self.withoutZeros) == Self.withoutZeros(version) }
        } catch {
            return nil  // A commit may hold what was mended later.
        }
    }

    private func sources(_ paths: [String], _ commit: String) async throws(SourceError) -> [MigrationSource] {
        var sources: [MigrationSource] = []
        for path in paths.prefix(1000) {
            guard let text = try await history.text(of: path, at: commit) else { continue }
            sources.append(MigrationSource(path: path, bytes: Array(text.utf8)))
        }
        return sources
    }

    /// True for every file that may be a part of the migration, and for some that are not.
    private func mayBelong(_ candidate: String) -> Bool {
        if candidate == path { return true }
        return candidate.split(separator: "/").contains { name in
            if name.hasPrefix(version) { return true }
            let number = Self.number(name)
            return !number.isEmpty && number == Self.number(version)
        }
    }

    /// The first number of a name without what divides it: of `V1.2__x` and of `2024-06-11-093000_x`.
    private static func number(_ name: some StringProtocol) -> String {
        let text = String(name.drop { !$0.isNumber }.prefix { $0.isNumber || $0 == "." || $0 == "-" })
        return withoutZeros(text.filter(\.isNumber))
    }

    /// Tools whose tables hold numbers write them without the zeros of the file's name.
    private static func withoutZeros(_ number: String) -> String { String(number.drop { $0 == "0" }) }
}
