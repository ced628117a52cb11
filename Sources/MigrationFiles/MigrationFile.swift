/// One migration as it stands in a directory, whatever tool it was written for.
public struct MigrationFile: Sendable, Hashable {
    /// Its identity: the full stem of its file name without direction and extension, `20240611093000_add_index`; for a folder of two files
    /// the folder's name; for a repeatable one `R__name`.
    public var stem: String
    /// The version as the file's name has it: leading digits with their zeros (tools whose table holds a number write it without), diesel's
    /// without hyphens, Flyway's dotted. Nil for a repeatable one, and for a stem that begins with no digit.
    public var number: String?
    /// What comes behind the version: `add_index`. For node-pg-migrate, whose table holds nothing else, the stem.
    public var name: String
    /// Of the file with the up part, relative to the directory: `20240611093000_add_index.sql`.
    public var path: String
    /// Of the file with the down part, where it is another one.
    public var downPath: String?
    /// The bytes of the up file: what the tools' own checksums are taken over.
    public var bytes: [UInt8]
    public var up: MigrationScript
    /// Nil when there is no down part, or one without a statement.
    public var down: MigrationScript?
    /// Applied again whenever it changes (Flyway's `R__`).
    public var isRepeatable: Bool
    /// What the file itself says with `-- phase: expand|contract|either`; nil leaves it to the statements.
    public var declaredPhase: DeclaredPhase?
    /// The file itself says that its way back is impossible: `-- irreversible`.
    public var isDeclaredIrreversible: Bool

    public enum DeclaredPhase: String, Sendable, Hashable, Codable, CaseIterable {
        case expand, contract, either
    }

    public init(
        stem: String, number: String?, name: String, path: String, downPath: String? = nil, bytes: [UInt8], up: MigrationScript,
        down: MigrationScript?, isRepeatable: Bool = false, declaredPhase: DeclaredPhase? = nil, isDeclaredIrreversible: Bool = false
    ) {
        self.stem = stem
        self.number = number
        self.name = name
        self.path = path
        self.downPath = downPath
        self.bytes = bytes
        self.up = up
        self.down = down
        self.isRepeatable = isRepeatable
        self.declaredPhase = declaredPhase
        self.isDeclaredIrreversible = isDeclaredIrreversible
    }
}

/// One direction of a migration, ready to be run: directives taken out, the outermost `BEGIN`/`COMMIT` pair too.
public struct MigrationScript: Sendable, Hashable, Codable {
    /// The SQL that is run.
    public var text: String
    /// Where ``text`` begins in its file, counted from 1: errors are told with the file's own lines.
    public var firstLine: Int
    /// False if a directive of the format says that it must not run inside a transaction; nil leaves it to its statements.
    public var isTransactional: Bool?
    /// `foreign_keys=off` and the like from `-- pragma:` lines (SQLite): set before the transaction begins.
    public var pragmas: [String]

    public init(text: String, firstLine: Int = 1, isTransactional: Bool? = nil, pragmas: [String] = []) {
        self.text = text
        self.firstLine = firstLine
        self.isTransactional = isTransactional
        self.pragmas = pragmas
    }
}
