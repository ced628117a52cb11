internal import Crypto
internal import FoundationEssentials
public import Model

/// What is known of one backup: the JSON file that lies beside its dump. A dump without one is a partial file.
public struct BackupManifest: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Some tables, saved inside the transaction that endangers them.
        case scoped
        case full
    }

    public enum Engine: String, Sendable, Hashable, Codable { case postgres, sqlite }

    /// A table that is in the dump.
    public struct Table: Sendable, Hashable, Codable {
        public var name: TableName
        /// Rows that the dump's snapshot saw; nil where they were not counted.
        public var rows: Int?
        /// On disk, with indexes and out-of-line values, when it was saved.
        public var bytes: Int

        public init(name: TableName, rows: Int? = nil, bytes: Int = 0) {
            self.name = name
            self.rows = rows
            self.bytes = bytes
        }
    }

    /// How it fared when somebody tried to restore it.
    public struct Report: Sendable, Hashable, Codable {
        public var isProved: Bool
        /// What was compared, a line each: `12 tables, 40 310 rows`.
        public var lines: [String]
        /// What the restored schema has or lacks against the one that was saved.
        public var differences: [String]
        public var milliseconds: Int

        public init(isProved: Bool, lines: [String] = [], differences: [String] = [], milliseconds: Int = 0) {
            self.isProved = isProved
            self.lines = lines
            self.differences = differences
            self.milliseconds = milliseconds
        }
    }

    public enum RestoreEnd: String, Sendable, Hashable, Codable { case done, failed }

    /// Of this layout. A manifest with another one is told as damaged, never guessed at.
    static let layout = 1

    var layout = Self.layout
    public var id: BackupID
    public var system: String
    public var database: String
    public var engine: Engine
    /// Of the server or library that was saved: `15.20`.
    public var engineVersion: String
    public var kind: Kind
    public var tables: [Table]
    /// Schemas of the whole database; empty for a scoped one. Tells whether `public` was there.
    public var schemas: [String]
    public var taken: Timestamp
    /// Of the dump, in the file.
    public var bytes: Int
    /// Of the dump, hexadecimal.
    public var sha256: String
    /// Where in the write-ahead log the snapshot stands; nil where it could not be read.
    public var lsn: String?
    /// The migrations that were applied, in order.
    public var applied: [String]
    /// The migration before which it was taken; nil for one that somebody asked for.
    public var beforeVersion: String?
    /// The restore before which it was taken; nil for every other.
    public var beforeRestore: BackupID?
    /// How the restore before which it was taken ended; nil for every other, and where nobody lived to say.
    public var restoreEnd: RestoreEnd?
    /// Of the whole schema as the snapshot saw it; nil where it was not read.
    public var fingerprint: String?
    /// Of the pass or command that made it.
    public var run: String
    public var verifiedAt: Timestamp?
    public var report: Report?
    /// HMAC-SHA256 of everything else, hexadecimal.
    public internal(set) var signature: String

    public init(
        id: BackupID, system: String, database: String, engine: Engine, engineVersion: String, kind: Kind, tables: [Table],
        schemas: [String] = [], taken: Timestamp, bytes: Int = 0, sha256: String = "", lsn: String? = nil, applied: [String] = [],
        beforeVersion: String? = nil, fingerprint: String? = nil, run: String
    ) {
        self.id = id
        self.system = system
        self.database = database
        self.engine = engine
        self.engineVersion = engineVersion
        self.kind = kind
        self.tables = tables
        self.schemas = schemas
        self.taken = taken
        self.bytes = bytes
        self.sha256 = sha256
        self.lsn = lsn
        self.applied = applied
        self.beforeVersion = beforeVersion
        self.fingerprint = fingerprint
        self.run = run
        signature = ""
    }

    /// True once a restore of it into a scratch database succeeded.
    public var isProved: Bool { report?.isProved == true && verifiedAt != nil }

    /// True if it holds the whole database: one of SQLite always does.
    public var isWhole: Bool { kind == .full || engine == .sqlite }

    /// The tables without those that Belay itself keeps.
    public var ownTables: [Table] { tables.filter { !$0.name.isBelays } }

    /// The rows that were counted in them.
    public var rows: Int { ownTables.reduce(0) { $0 + ($1.rows ?? 0) } }
}

extension BackupManifest {
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try Array(encoder.encode(self))
    }

    init(json: [UInt8]) throws { self = try JSONDecoder().decode(BackupManifest.self, from: Data(json)) }

    func signed(with key: [UInt8]) throws -> BackupManifest {
        var signed = self
        signed.signature = ""
        let code = HMAC<SHA256>.authenticationCode(for: try signed.json(), using: SymmetricKey(data: key))
        signed.signature = code.map { String(paddedTo: 2, UInt64($0)) }.joined()
        return signed
    }

    /// Whether somebody who has the key wrote this, and nobody changed it since.
    func isSigned(with key: [UInt8]) throws -> Bool {
        let expected = try signed(with: key).signature
        // Compared as a whole: how long it takes tells nothing of where they differ.
        return zip(expected.utf8, signature.utf8).reduce(expected.utf8.count ^ signature.utf8.count) { $0 | Int($1.0 ^ $1.1) } == 0
    }
}
