internal import Model
internal import SQL

/// The schema of a database as one text a line, and what they are together.
struct SchemaLines: Sendable, Hashable {
    var hash: String
    var lines: [String]

    /// - Parameter excluded: tables that are not part of it, as ``SchemaFingerprint`` takes them.
    static func read(on connection: any SQLConnection, excluding excluded: [String] = []) async throws(Problem) -> SchemaLines {
        do throws(SQLError) {
            let fingerprint = try await SchemaFingerprint.take(on: connection, excluding: excluded)
            return SchemaLines(hash: fingerprint.hash, lines: fingerprint.lines)
        } catch {
            throw Problem(sql: error, "cannot read the schema")
        }
    }

    /// What this one has and lacks against another, a line each: `+ column …`, `- index …`. At most 200.
    func differences(from expected: [String]) -> [String] {
        let (own, other) = (Set(lines), Set(expected))
        return Array((own.subtracting(other).sorted().map { "+ \($0)" } + other.subtracting(own).sorted().map { "- \($0)" }).prefix(200))
    }
}
