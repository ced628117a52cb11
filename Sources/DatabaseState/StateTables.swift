internal import Model
internal import SQL

/// A statement and its parameters.
struct Question: Sendable {
    var sql: String
    var parameters: [SQLValue]

    init(_ sql: String, _ parameters: [SQLValue]) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// The state's own tables: in the schema `belay` on PostgreSQL, with the prefix `_belay_` on SQLite. A row names its system, so that many
/// share them. Every question is one statement, so that a pooler in transaction mode answers it as the server does.
struct StateTables: Sendable {
    let engine: SQLEngine
    /// `namespace/name`; a slash in the namespace could make two systems one.
    let system: String

    init(_ engine: SQLEngine, _ system: SystemID) {
        self.engine = engine
        let namespace = system.namespace.map { $0 == "/" || $0 == "%" ? ($0 == "/" ? "%2F" : "%25") : String($0) }.joined()
        self.system = "\(namespace)/\(system.name)"
    }

    private var prefix: String { engine == .postgres ? "belay.state_" : "_belay_state_" }
    var journal: String { prefix + "journal" }
    var lease: String { prefix + "lease" }
    var key: String { prefix + "key" }

    /// The database's own clock: no other one is ever asked.
    private var now: String { engine == .postgres ? "pg_catalog.clock_timestamp()" : "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')" }

    private func parameter(_ number: Int, _ type: String) -> String { engine == .postgres ? "$\(number)::\(type)" : "?\(number)" }

    /// The time when a lease taken now ends.
    private func later(_ milliseconds: Int) -> String {
        switch engine {
        case .postgres: "\(now) + \(parameter(milliseconds, "bigint")) * interval '1 millisecond'"
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || (?\(milliseconds) / 1000.0) || ' seconds')"
        }
    }

    // MARK: - Reading

    /// The lines of the journal, the oldest first.
    var lines: Question {
        Question("SELECT line FROM \(journal) WHERE system = \(parameter(1, "text")) ORDER BY seq", [.text(system)])
    }

    func line(_ sequence: Int) -> Question {
        Question(
            "SELECT line FROM \(journal) WHERE system = \(parameter(1, "text")) AND seq = \(parameter(2, "bigint"))",
            [.text(system), .integer(Int64(sequence))])
    }

    /// Id, text of the holder, epoch, end, milliseconds until then (none when it is over), and the whole lease in milliseconds.
    var holding: Question {
        let left =
            engine == .postgres
            ? "(EXTRACT(epoch FROM expires_at - \(now)) * 1000)::bigint"
            : "CAST((julianday(expires_at) - julianday('now')) * 86400000 AS INTEGER)"
        return Question(
            "SELECT id, holder, epoch, expires_at, \(left), lease_ms FROM \(lease) WHERE system = \(parameter(1, "text")) AND id IS NOT NULL",
            [.text(system)])
    }

    var readKey: Question { Question("SELECT key FROM \(key) WHERE system = \(parameter(1, "text"))", [.text(system)]) }

    // MARK: - Holding

    /// Takes the lease if nobody has it or it has ended: one row with the epoch, or none.
    /// - Parameter stale: on SQLite, who may lose an ended lease; on PostgreSQL whoever has it.
    func take(_ id: String, holder: String, for duration: Duration, from stale: Holding?) -> Question {
        var ended = "l.expires_at <= \(now)"
        var parameters: [SQLValue] = [.text(system), .text(id), .text(holder), .integer(duration.milliseconds)]
        if engine == .sqlite {
            ended += " AND l.id = ?5 AND l.expires_at = ?6"
            parameters += [.optional(stale?.id), .optional(stale?.expires)]
        }
        return Question(
            """
            INSERT INTO \(lease) AS l (system, id, holder, epoch, since, expires_at, lease_ms) \
            VALUES (\(parameter(1, "text")), \(parameter(2, "text")), \(parameter(3, "text")), 1, \(now), \(later(4)), \
            \(parameter(4, "bigint"))) \
            ON CONFLICT (system) DO UPDATE SET id = excluded.id, holder = excluded.holder, epoch = l.epoch + 1, since = excluded.since, \
            expires_at = excluded.expires_at, lease_ms = excluded.lease_ms WHERE l.id IS NULL OR (\(ended)) RETURNING epoch
            """, parameters)
    }

    /// Prolongs the lease, also one that has ended and that nobody took: a row, or none.
    func renew(_ id: String, for duration: Duration) -> Question {
        Question(
            """
            UPDATE \(lease) SET expires_at = \(later(3)) WHERE system = \(parameter(1, "text")) AND id = \(parameter(2, "text")) \
            RETURNING epoch
            """, [.text(system), .text(id), .integer(duration.milliseconds)])
    }

    /// Begins another epoch of the same hold, so that nothing takes effect any more that is still on its way: a row with the epoch, or none.
    func fence(_ id: String, for duration: Duration) -> Question {
        Question(
            """
            UPDATE \(lease) SET epoch = epoch + 1, expires_at = \(later(3)) \
            WHERE system = \(parameter(1, "text")) AND id = \(parameter(2, "text")) RETURNING epoch
            """, [.text(system), .text(id), .integer(duration.milliseconds)])
    }

    func release(_ id: String) -> Question {
        Question(
            """
            UPDATE \(lease) SET id = NULL, holder = NULL, since = NULL, expires_at = \(now) \
            WHERE system = \(parameter(1, "text")) AND id = \(parameter(2, "text"))
            """, [.text(system), .text(id)])
    }

    // MARK: - Writing

    /// Appends a line if this epoch of the hold is the one that counts and the journal ends with the line before: a row, or none.
    ///
    /// On PostgreSQL it prolongs the lease, which also keeps everybody from taking it before the line is there.
    func append(_ line: String, _ sequence: Int, behind previous: String?, id: String, epoch: Int, for duration: Duration) -> Question {
        let own = "SELECT 1 FROM \(journal) j WHERE j.system = \(parameter(1, "text"))"
        // A line ends in its hash.
        let end = engine == .postgres ? "pg_catalog.right(j.line, 66)" : "substr(j.line, -66)"
        let isLast = """
            CASE WHEN \(parameter(6, "text")) = '' THEN NOT EXISTS (\(own)) \
            ELSE EXISTS (\(own) AND j.seq = \(parameter(4, "bigint")) - 1 AND \(end) = \(parameter(6, "text"))) END
            """
        var parameters: [SQLValue] = [
            .text(system), .text(id), .integer(Int64(epoch)), .integer(Int64(sequence)), .text(line),
            .text(previous.map { $0 + "\"}" } ?? ""),
        ]
        switch engine {
        case .postgres:
            parameters.append(.integer(duration.milliseconds))
            return Question(
                """
                WITH held AS (UPDATE \(lease) SET expires_at = \(later(7)) \
                WHERE system = $1::text AND id = $2::text AND epoch = $3::bigint RETURNING 1) \
                INSERT INTO \(journal) (system, seq, line) SELECT $1::text, $4::bigint, $5::text FROM held \
                WHERE \(isLast) \
                RETURNING seq, CASE WHEN pg_catalog.current_setting('synchronous_commit') = 'off' \
                THEN pg_catalog.set_config('synchronous_commit', 'on', true) END
                """, parameters)
        case .sqlite:
            return Question(
                """
                INSERT INTO \(journal) (system, seq, line) SELECT ?1, ?4, ?5 \
                WHERE EXISTS (SELECT 1 FROM \(lease) WHERE system = ?1 AND id = ?2 AND epoch = ?3) AND \(isLast) RETURNING seq
                """, parameters)
        }
    }

    /// Writes the key unless there is one.
    func makeKey(_ digits: String) -> Question {
        Question(
            "INSERT INTO \(key) (system, key) VALUES (\(parameter(1, "text")), \(parameter(2, "text"))) ON CONFLICT DO NOTHING",
            [.text(system), .text(digits)])
    }
}

/// A lease as its row says it.
struct Holding: Sendable, Hashable {
    var id: String
    /// JSON.
    var holder: String
    var epoch: Int
    var expires: String
    /// Until it ends, by the database's clock; negative when it has.
    var left: Duration
    var lease: Duration

    init?(_ row: [String?]) {
        guard row.count == 6, let id = row[0], let holder = row[1], let epoch = row[2].flatMap({ Int($0) }), let expires = row[3],
            let left = row[4].flatMap({ Int($0) }), let lease = row[5].flatMap({ Int($0) })
        else { return nil }
        self.id = id
        self.holder = holder
        self.epoch = epoch
        self.expires = expires
        self.left = .milliseconds(left)
        self.lease = .milliseconds(lease)
    }

    /// The same moment of the same hold: whoever holds it has shown no sign in between.
    func isUnchanged(since other: Holding) -> Bool { id == other.id && epoch == other.epoch && expires == other.expires }
}

extension Duration {
    var milliseconds: Int64 { Int64(self / .milliseconds(1)) }
}
