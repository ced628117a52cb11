import DatabaseServers
import Migrations
import SQL
import TestPrograms

extension Operator {
    /// The schema without Belay's own tables, as Belay's module tells it.
    func fingerprint() async throws -> SchemaFingerprint {
        let connection = try await connect()
        let found = try await SchemaFingerprint.take(
            on: connection, excluding: [engine == .sqlite ? "schema_migrations" : "public.schema_migrations"])
        await connection.close()
        return found
    }

    /// The same as the vendor's own program tells it, without what differs though the schema does not: the order of columns and objects,
    /// white space and quotes.
    func dump() async throws -> [String] {
        switch engine {
        case .sqlite:
            let ended = try await BuiltProgram(onSearchPath: "sqlite3").run([
                "-cmd", ".separator '' '\u{1E}'", database,
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_belay%' ESCAPE '\\' "
                    + "AND tbl_name NOT LIKE '\\_belay%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' AND name <> 'schema_migrations'",
            ])
            guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
            return ended.output.split(separator: "\u{1E}").map { Self.normalised(String($0)) }.sorted()
        case .postgres:
            let ended = try await BuiltProgram(onSearchPath: "pg_dump").run([
                "--schema-only", "--no-owner", "-N", "belay", "-T", "public.schema_migrations", "-h", "127.0.0.1", "-p",
                String(try await PostgresServer.shared.port()), "-U", "postgres", database,
            ])
            guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
            return Self.statements(ended.output).sorted()
        }
    }

    /// Of pg_dump: each ends with a line that ends in a semicolon. What is inside is sorted by lines, because columns stand in the order in
    /// which they came.
    private static func statements(_ dump: String) -> [String] {
        var statements: [String] = []
        var lines: [String] = []
        for line in dump.split(separator: "\n")
        where !["--", "\\", "SET ", "SELECT pg_catalog.set_config"].contains(where: line.hasPrefix) {
            lines.append(String(line.hasSuffix(",") ? line.dropLast() : line))
            guard line.hasSuffix(";") else { continue }
            statements.append(lines.sorted().joined(separator: " | "))
            lines = []
        }
        return statements + (lines.isEmpty ? [] : [lines.joined()])
    }

    /// Of SQLite: what is between the outermost parentheses is sorted.
    private static func normalised(_ sql: String) -> String {
        var head = ""
        var items: [String] = []
        var item = ""
        var depth = 0
        for character in sql.lowercased() where !character.isWhitespace && !"\"`[]".contains(character) {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if depth == 0, character != ")" {
                head.append(character)
            } else if depth == 1, character == "," {
                items.append(item)
                item = ""
            } else if !(depth == 1 && character == "(" && item.isEmpty), !(depth == 0 && character == ")") {
                item.append(character)
            }
        }
        return head + "(" + (items + [item]).sorted().joined(separator: ",") + ")"
    }
}
