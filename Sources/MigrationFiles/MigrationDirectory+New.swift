/// A file that is to be written.
public struct NewMigrationFile: Sendable, Hashable {
    /// Relative to the directory; its folder may have to be made.
    public var path: String
    public var text: String

    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

extension MigrationDirectory {
    /// A directory that holds nothing yet: what is made in it gets 14 digits, in the format of dbmate unless another is named.
    public static func empty(_ format: MigrationFormat = .dbmate) -> MigrationDirectory {
        MigrationDirectory(format: format, order: format.ownOrder, migrations: [])
    }

    /// The file or files of a new migration in the directory's own format, with both directions to be filled in. Its number follows the
    /// style of the last one and is later than all of them. Writes nothing.
    /// - Parameters:
    ///   - name: letters, digits, underscores and hyphens.
    ///   - timestamp: the time in UTC, 14 digits: `20240611093000`.
    public func newMigration(named name: String, timestamp: String) throws(MigrationFileErrors) -> [NewMigrationFile] {
        let isFit = name.utf8.allSatisfy { $0 < 0x80 } && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        guard !name.isEmpty, name.utf8.count <= 200, isFit else {
            throw MigrationFileErrors([
                Mistake("InvalidName", "\"\(name)\" cannot be a migration's name; use letters, digits, _ and - (at most 200)")
            ])
        }
        guard timestamp.utf8.count == 14, Digits(timestamp) != nil else {
            throw MigrationFileErrors([Mistake("InvalidTimestamp", "\"\(timestamp)\" is not a time of 14 digits")])
        }
        let number = try NewNumber(self, timestamp).text()
        return files(number, name)
    }

    private func files(_ number: String, _ name: String) -> [NewMigrationFile] {
        let stem = "\(number)_\(name)"
        switch format {
        case .runbook:
            return single(stem, "-- Migration: \(name)\n\n-- UP MIGRATION\n\n\n-- DOWN MIGRATION\n\n")
        case .dbmate: return single(stem, "-- migrate:up\n\n\n-- migrate:down\n\n")
        case .goose: return single(stem, "-- +goose Up\n\n\n-- +goose Down\n\n")
        case .sqlMigrate: return single(stem, "-- +migrate Up\n\n\n-- +migrate Down\n\n")
        case .nodePgMigrate: return single(stem, "-- Up Migration\n\n\n-- Down Migration\n\n")
        case .tern: return single(stem, "-- Up\n\n\(TernFile.separator)\n\n-- Down\n")
        case .golangMigrate, .sqlx, .stem: return pair("\(stem).up.sql", "\(stem).down.sql")
        case .diesel: return pair("\(stem)/up.sql", "\(stem)/down.sql")
        case .flyway: return pair("V\(number)__\(name).sql", "U\(number)__\(name).sql")
        }
    }

    private func single(_ stem: String, _ text: String) -> [NewMigrationFile] { [NewMigrationFile(path: "\(stem).sql", text: text)] }

    private func pair(_ up: String, _ down: String) -> [NewMigrationFile] {
        [
            NewMigrationFile(path: up, text: "-- What the migration does\n"),
            NewMigrationFile(path: down, text: "-- The way back\n"),
        ]
    }
}
