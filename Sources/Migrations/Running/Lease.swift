internal import Model
public import SQL

/// The right to move a database's schema: one row that everybody can read, held for a short time and renewed. Only the database's own clock
/// is asked. Works through every pooler. See contract migrations.md §3.6.
///
/// The lease alone does not keep a holder that stood still from going on: that is what ``fence`` is for.
public struct Lease: Sendable, Hashable {
    public let engine: SQLEngine
    /// Who holds it, for people: `ann@laptop, run 7f3a`.
    public let holder: String
    /// Grows with every taking: what an older one does is refused.
    public let epoch: Int

    /// Who holds a lease, as the row says.
    public struct Holding: Sendable, Hashable {
        public var holder: String
        /// RFC 3339, by the database's clock.
        public var since: String
        public var expires: String
    }

    public enum Attempt: Sendable, Hashable {
        case taken(Lease)
        case held(Holding)
    }

    /// Takes the lease if nobody holds it or it has expired. Never waits. Belay's tables must exist; not inside a transaction.
    public static func take(
        on connection: any SQLConnection, holder: String, for duration: Duration
    ) async throws(SQLError) -> Attempt {
        let archive = Archive(connection.engine)
        let now = ArchiveTables.now(archive.engine)
        let taken =
            switch archive.engine {
            case .postgres:
                // Whoever stands at the fence holds the row until its COMMIT has ended: it is passed over, not waited for.
                try await connection.query(
                    """
                    WITH free AS (SELECT id FROM \(archive.tables.lease) WHERE id = 1 AND (holder IS NULL OR expires_at <= \(now)) \
                    FOR UPDATE SKIP LOCKED) \
                    UPDATE \(archive.tables.lease) l SET holder = $1, epoch = l.epoch + 1, since = \(now), \
                    expires_at = \(now) + $2::bigint * interval '1 millisecond' FROM free WHERE l.id = free.id RETURNING l.epoch
                    """, [.text(holder), .integer(duration.wholeMilliseconds)])
            case .sqlite:
                try await connection.query(
                    """
                    UPDATE \(archive.tables.lease) SET holder = ?1, epoch = epoch + 1, since = \(now), \
                    expires_at = \(later) WHERE id = 1 AND (holder IS NULL OR expires_at <= \(now)) RETURNING epoch
                    """, [.text(holder), .text(seconds(duration))])
            }
        if let epoch = taken.scalar.flatMap({ Int($0) }) { return .taken(Lease(engine: archive.engine, holder: holder, epoch: epoch)) }
        return .held(try await holding(on: connection) ?? Holding(holder: "", since: "", expires: ""))
    }

    /// Who holds the lease now; nil when nobody does, and where Belay never wrote. Changes nothing.
    public static func holding(on connection: any SQLConnection) async throws(SQLError) -> Holding? {
        let archive = Archive(connection.engine)
        let now = ArchiveTables.now(archive.engine)
        func time(_ column: String) -> String { archive.engine == .postgres ? Archive.time(column) : column }
        do throws(SQLError) {
            let answer = try await connection.query(
                "SELECT holder, \(time("since")), \(time("expires_at")) FROM \(archive.tables.lease) WHERE id = 1 AND holder IS NOT NULL "
                    + "AND expires_at > \(now)")
            guard let row = answer.rows.first, let holder = row[0] else { return nil }
            return Holding(holder: holder, since: row[1] ?? "", expires: row[2] ?? "")
        } catch {
            guard Archive.meansNoTable(error) else { throw error }
            return nil
        }
    }

    /// Prolongs the lease. Returns false if somebody else has taken it; a lease that merely expired is prolonged.
    public func renew(on connection: any SQLConnection, for duration: Duration) async throws(SQLError) -> Bool {
        let archive = Archive(engine)
        let now = ArchiveTables.now(engine)
        switch engine {
        case .postgres:
            return try await connection.query(
                """
                UPDATE \(archive.tables.lease) SET expires_at = \(now) + $3::bigint * interval '1 millisecond' \
                WHERE id = 1 AND holder = $1 AND epoch = $2
                """, [.text(holder), .integer(Int64(epoch)), .integer(duration.wholeMilliseconds)]
            ).affected == 1
        case .sqlite:
            return try await connection.query(
                """
                UPDATE \(archive.tables.lease) SET expires_at = \(Self.later) WHERE id = 1 AND holder = ?1 AND epoch = ?3
                """, [.text(holder), .text(Self.seconds(duration)), .integer(Int64(epoch))]
            ).affected == 1
        }
    }

    /// Prolongs the lease again and again until the task is cancelled or somebody else has it. One time that fails is followed by the next.
    /// - Parameter renew: prolongs it once; false: somebody else has it.
    public func keep<Failure: Error>(
        every pause: Duration, on clock: any Clock<Duration>, renew: (Lease) async throws(Failure) -> Bool
    ) async {
        while !Task.isCancelled {
            do { try await clock.sleep(for: pause) } catch { return }
            do {
                guard try await renew(self) else { return }
            } catch {
                // A lease that runs out meanwhile is found out by the fence of whoever holds it.
            }
        }
    }

    /// Gives the lease back; nothing happens if somebody else has it.
    public func release(on connection: any SQLConnection) async throws(SQLError) {
        let archive = Archive(engine)
        _ = try await connection.query(
            """
            UPDATE \(archive.tables.lease) SET holder = NULL, since = NULL, expires_at = \(ArchiveTables.now(engine)) \
            WHERE id = 1 AND holder = \(archive.placeholder(1)) AND epoch = \(archive.placeholder(2))
            """, [.text(holder), .integer(Int64(epoch))])
    }

    /// For the end of a migration's transaction: one row while the lease is held, and then nobody can take it before the transaction ends; no
    /// row when it was lost, and then the transaction must be rolled back.
    ///
    /// On SQLite the transaction's own write lock has kept everybody from taking the row, however long it lasted: there only the holder counts.
    public var fence: SQLRun {
        let archive = Archive(engine)
        let mine = "id = 1 AND holder = \(archive.placeholder(1)) AND epoch = \(archive.placeholder(2))"
        let condition = engine == .postgres ? "\(mine) AND expires_at > \(ArchiveTables.now(engine)) FOR UPDATE" : mine
        return SQLRun("SELECT 1 FROM \(archive.tables.lease) WHERE \(condition)", [.text(holder), .integer(Int64(epoch))])
    }

    private static let later = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || ?2 || ' seconds')"

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

extension Duration {
    /// Rounded down; what settings of both engines take.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
