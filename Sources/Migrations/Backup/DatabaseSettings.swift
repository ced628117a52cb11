internal import Model
internal import SQL

/// What belongs to a database as a whole and is in no dump of it: owner, privileges, settings, limit, comment.
struct DatabaseSettings: Sendable, Hashable {
    struct Setting: Sendable, Hashable {
        /// Nil: for every role.
        var role: String?
        var name: String
        var value: String
    }

    struct Grant: Sendable, Hashable {
        /// Nil: everybody.
        var grantee: String?
        var privilege: String
        var mayGrant: Bool
    }

    var owner: String
    var connectionLimit: String
    var isTemplate: Bool
    var comment: String?
    /// Nil where nobody ever changed them.
    var grants: [Grant]?
    var settings: [Setting]

    static func read(of database: String, on connection: any SQLConnection) async throws(Problem) -> DatabaseSettings {
        let what = "cannot read the settings of \(database)"
        let name = SQLLiteral.quoted(database, for: .postgres)
        let row = try await connection.ask(
            """
            SELECT pg_catalog.pg_get_userbyid(datdba), datconnlimit, datistemplate, pg_catalog.shobj_description(oid, 'pg_database'),
              datacl IS NOT NULL FROM pg_catalog.pg_database WHERE datname = \(name)
            """, for: what
        ).rows.first
        guard let row, let owner = row[0], let limit = row[1] else {
            throw Problem("DatabaseMissing", "there is no database \(database)", next: "look at the list of databases of the server")
        }
        let grants = try await connection.ask(
            """
            SELECT CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
            FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a WHERE d.datname = \(name) ORDER BY 1 NULLS FIRST, 2
            """, for: what)
        let settings = try await connection.ask(
            """
            SELECT r.rolname, pg_catalog.split_part(c.entry, '=', 1), pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1)
            FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) AS c(entry)
            WHERE d.datname = \(name) ORDER BY 1 NULLS FIRST, 2
            """, for: what)
        return DatabaseSettings(
            owner: owner, connectionLimit: limit, isTemplate: row[2] == "t", comment: row[3],
            grants: row[4] == "t"
                ? grants.rows.compactMap { row in row[1].map { Grant(grantee: row[0], privilege: $0, mayGrant: row[2] == "t") } } : nil,
            settings: settings.rows.compactMap { row in
                guard let name = row[1], let value = row[2] else { return nil }
                return Setting(role: row[0], name: name, value: value)
            })
    }

    /// The statements that give another database the same; all of them may stand in one transaction.
    func statements(for database: String) -> [String] {
        let name = SQLIdentifier.quoted(database)
        var statements = ["ALTER DATABASE \(name) OWNER TO \(SQLIdentifier.quoted(owner))"]
        if connectionLimit != "-1" { statements.append("ALTER DATABASE \(name) CONNECTION LIMIT \(connectionLimit)") }
        if isTemplate { statements.append("ALTER DATABASE \(name) IS_TEMPLATE true") }
        if let grants {
            statements.append("REVOKE ALL ON DATABASE \(name) FROM PUBLIC")
            statements.append("REVOKE ALL ON DATABASE \(name) FROM \(SQLIdentifier.quoted(owner))")
            for grant in grants {
                let grantee = grant.grantee.map(SQLIdentifier.quoted) ?? "PUBLIC"
                statements.append(
                    "GRANT \(grant.privilege) ON DATABASE \(name) TO \(grantee)\(grant.mayGrant ? " WITH GRANT OPTION" : "")")
            }
        }
        for setting in settings {
            let target = setting.role.map { "ALTER ROLE \(SQLIdentifier.quoted($0)) IN DATABASE \(name)" } ?? "ALTER DATABASE \(name)"
            let words = setting.name.split(separator: ".").map { SQLIdentifier.quoted(String($0)) }.joined(separator: ".")
            statements.append("\(target) SET \(words) TO \(Self.value(setting))")
        }
        statements.append(RestoreStamp.setting(comment, on: database))
        return statements
    }

    /// Settings that are lists of names are stored with their quotation marks, and read back element by element: `GUC_LIST_QUOTE` in
    /// `guc_tables.c`, and the same list in `pg_dump`'s `variable_is_guc_list_quote`.
    private static let lists: Set<String> = [
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces",
        "unix_socket_directories",
    ]

    private static func value(_ setting: Setting) -> String {
        guard lists.contains(setting.name.lowercased()) else { return SQLLiteral.quoted(setting.value, for: .postgres) }
        return elements(of: setting.value).map { SQLLiteral.quoted($0, for: .postgres) }.joined(separator: ", ")
    }

    /// `"$user", public` as its names; at least one, which may be empty.
    static func elements(of list: String) -> [String] {
        var elements: [String] = []
        var current = ""
        var isQuoted = false
        for character in list {
            switch character {
            case "\"":
                // A doubled mark closes and opens again: one of the two belongs to the name.
                if isQuoted == false, current.last == "\u{0}" {
                    current.removeLast()
                    current.append("\"")
                }
                isQuoted.toggle()
                if !isQuoted { current.append("\u{0}") }
            case "," where !isQuoted:
                elements.append(current)
                current = ""
            case " " where !isQuoted: break
            default: current.append(character)
            }
        }
        elements.append(current)
        return elements.map { $0.filter { $0 != "\u{0}" } }
    }
}
