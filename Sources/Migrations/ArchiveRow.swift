public import Model

/// What the database remembers of one migration that was ever applied: a row of `belay.migration_archive` (`_belay_migration_archive` on
/// SQLite). It survives the way back. See contract migrations.md §3.3.
public struct ArchiveRow: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        case applyingUp = "applying_up"
        case applied
        case applyingDown = "applying_down"
        case reverted
        /// Only a high-water mark or a baseline says that it was applied.
        case presumed
        /// A statement outside of a transaction was interrupted and nothing tells whether it took effect: somebody must say.
        case stuck
    }

    /// The full stem.
    public var version: String
    public var name: String
    /// In which order migrations were applied; a migration that is applied again gets a new one.
    public var sequence: Int
    public var state: State
    public var upSQL: String?
    public var downSQL: String?
    public var upIsTransactional: Bool
    public var downIsTransactional: Bool
    /// SHA-256 of the up script, hexadecimal; nil where the script was not known when the row was made.
    public var upHash: String?
    /// ``SQLParsing`` fingerprint of the up script: the same for an edit that changes nothing.
    public var upFingerprint: String?
    public var downHash: String?
    public var sourceCommit: String?
    public var sourcePath: String?
    public var format: String?
    public var fingerprintBefore: String?
    public var fingerprintAfter: String?
    /// The lines of the schema before, joined by newlines: for the difference that is shown.
    public var linesBefore: String?
    public var linesAfter: String?
    public var appliedAt: Timestamp?
    public var appliedBy: String?
    public var run: String?
    public var milliseconds: Int?
    /// HMAC-SHA256 over version, up hash, down hash and commit, hexadecimal.
    public var signature: String

    public init(
        version: String, name: String, sequence: Int, state: State, upSQL: String? = nil, downSQL: String? = nil,
        upIsTransactional: Bool = true, downIsTransactional: Bool = true, upHash: String? = nil, upFingerprint: String? = nil,
        downHash: String? = nil, sourceCommit: String? = nil, sourcePath: String? = nil, format: String? = nil,
        fingerprintBefore: String? = nil, fingerprintAfter: String? = nil, linesBefore: String? = nil, linesAfter: String? = nil,
        appliedAt: Timestamp? = nil, appliedBy: String? = nil, run: String? = nil, milliseconds: Int? = nil, signature: String = ""
    ) {
        self.version = version
        self.name = name
        self.sequence = sequence
        self.state = state
        self.upSQL = upSQL
        self.downSQL = downSQL
        self.upIsTransactional = upIsTransactional
        self.downIsTransactional = downIsTransactional
        self.upHash = upHash
        self.upFingerprint = upFingerprint
        self.downHash = downHash
        self.sourceCommit = sourceCommit
        self.sourcePath = sourcePath
        self.format = format
        self.fingerprintBefore = fingerprintBefore
        self.fingerprintAfter = fingerprintAfter
        self.linesBefore = linesBefore
        self.linesAfter = linesAfter
        self.appliedAt = appliedAt
        self.appliedBy = appliedBy
        self.run = run
        self.milliseconds = milliseconds
        self.signature = signature
    }
}
