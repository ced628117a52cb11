internal import FoundationEssentials
internal import Model
internal import SQL

/// What Belay writes into the comment of a database that takes part in a swap, so that a later run knows how far an earlier one came. A
/// comment can be read without connecting to the database, and it is renamed with it.
struct RestoreStamp: Sendable, Hashable, Codable {
    enum Stage: String, Sendable, Codable {
        /// Being filled: worth nothing.
        case filling
        /// Filled and compared.
        case filled
        /// Was the live database until the switch.
        case former
        /// Was the restored one until somebody swapped back.
        case undone
    }

    var restore: BackupID
    var origin: RestorePlan.Origin
    /// The live database's name.
    var database: String
    var stage: Stage
    var safety: BackupID?
    /// The comment that the live database had.
    var comment: String?

    private static let mark = "belay restore: "

    init(restore: BackupID, origin: RestorePlan.Origin, database: String, stage: Stage, safety: BackupID? = nil, comment: String? = nil) {
        self.restore = restore
        self.origin = origin
        self.database = database
        self.stage = stage
        self.safety = safety
        self.comment = comment
    }

    /// Nil for anybody else's comment.
    init?(comment: String) {
        guard comment.hasPrefix(Self.mark) else { return nil }
        let text = Data(comment.dropFirst(Self.mark.count).utf8)
        guard let stamp = try? JSONDecoder().decode(RestoreStamp.self, from: text) else { return nil }  // Of another version: not ours.
        self = stamp
    }

    func text() throws(Problem) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return try Self.mark + String(decoding: encoder.encode(self), as: UTF8.self) } catch {
            throw Problem("RestoreFailed", "the state of a restore cannot be written as JSON", next: "report this as a bug of Belay")
        }
    }

    struct Stamped: Sendable {
        var name: String
        var stamp: RestoreStamp
    }

    /// Every database of the server that takes part in a swap of this one, oldest restore first.
    static func all(of database: String, on connection: any SQLConnection) async throws(Problem) -> [Stamped] {
        let rows = try await connection.ask(
            """
            SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
            WHERE pg_catalog.shobj_description(oid, 'pg_database') LIKE '\(mark)%'
            """, for: "cannot look for earlier restores")
        return rows.rows.compactMap { row in
            guard let name = row[0], let stamp = row[1].flatMap(RestoreStamp.init(comment:)), stamp.database == database else { return nil }
            return Stamped(name: name, stamp: stamp)
        }.sorted { $0.stamp.restore < $1.stamp.restore }
    }

    static func setting(_ comment: String?, on database: String) -> String {
        let text = comment.map { SQLLiteral.quoted($0, for: .postgres) } ?? "NULL"
        return "COMMENT ON DATABASE \(SQLIdentifier.quoted(database)) IS \(text)"
    }
}

/// The names of the databases of one swap: `app__restore_20261130t052206z_3f9a1c2e`. PostgreSQL cuts names off at 63 bytes.
struct SwapNames: Sendable {
    var filling: String
    var former: String
    var undone: String

    init(database: String, id: BackupID) {
        var short = database
        while short.utf8.count > 26 { short.removeLast() }
        filling = "\(short)__restore_\(id.inDatabaseName)"
        former = "\(short)__old_\(id.inDatabaseName)"
        undone = "\(short)__undone_\(id.inDatabaseName)"
    }
}
