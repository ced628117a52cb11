internal import Crypto
internal import SQL

/// The lock of PostgreSQL that the session holds which runs the migrations: a runner that died while its statement goes on in the server
/// still holds it, which is what is wanted. Always tried and never waited for inside a statement: a waiting statement would hold up a
/// `CREATE INDEX CONCURRENTLY` of the one who holds it. See contract migrations.md §3.6.
struct AdvisoryLock: Sendable, Hashable {
    /// Of the adopted table and the database.
    let key: Int64

    init(table: String, database: String) {
        var hash = SHA256()
        for part in ["belay", database, table] {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0])
        }
        key = hash.finalize().prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Held until the session ends: only past a pooler, where a session is one.
    var forSession: String { "SELECT pg_catalog.pg_try_advisory_lock(\(key))" }

    /// Fails with a recognisable error unless the lock is had until the transaction ends.
    var guardForTransaction: String { Guard.locked.unless("pg_catalog.pg_try_advisory_xact_lock(\(key))") }

    var forTransaction: String { "SELECT pg_catalog.pg_try_advisory_xact_lock(\(key))" }

    /// The sessions that hold it: process, application name, state, and how long they have been at it.
    var holders: String {
        let bits = UInt64(bitPattern: key)
        return """
            SELECT l.pid, coalesce(a.application_name, ''), coalesce(a.state, ''), \
            coalesce((EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change))::bigint, 0) \
            FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
            WHERE l.locktype = 'advisory' AND l.classid = \(bits >> 32)::oid AND l.objid = \(bits & 0xffff_ffff)::oid AND l.objsubid = 1 \
            AND l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
            AND l.pid <> pg_catalog.pg_backend_pid()
            """
    }
}

/// A condition that ends a script of many statements when it does not hold, without PL/pgSQL: reading a setting that does not exist is an
/// error which names the setting, and nothing computes it ahead of time.
enum Guard: String, CaseIterable, Sendable {
    case locked, recorded, interrupted
    case leaseLost = "lease_lost"
    case escaped = "transaction_escaped"

    private var setting: String { "belay.\(rawValue)" }

    /// A statement that fails unless the condition is true.
    func unless(_ condition: String) -> String {
        "SELECT CASE WHEN \(condition) THEN 1 ELSE pg_catalog.length(pg_catalog.current_setting('\(setting)')) END"
    }

    /// Which guard an error comes from; nil for every other error.
    init?(_ error: SQLError) {
        guard error.sqlState == "42704", let found = Self.allCases.first(where: { error.message.contains($0.setting) }) else {
            return nil
        }
        self = found
    }
}

/// Application names of Belay's sessions: `belay/RUN/EPOCH`.
enum SessionName {
    static func make(run: String, epoch: Int) -> String {
        // PostgreSQL cuts names after 63 bytes, and the epoch must stay.
        let room = 63 - "belay//\(epoch)".utf8.count
        return "belay/\(String(decoding: Array(run.utf8.prefix(max(0, room))), as: UTF8.self))/\(epoch)"
    }

    /// Nil for a name that is not one of Belay's.
    static func epoch(_ name: String) -> Int? {
        guard name.hasPrefix("belay/") else { return nil }
        return name.split(separator: "/").last.flatMap { Int($0) }
    }
}
