internal import SQL

/// A table by its schema and its own name, as the catalogue spells them: unquoted, case kept. On SQLite the schema is `main`.
public struct TableName: Sendable, Hashable, Codable, Comparable {
    public var schema: String
    public var name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    public static func < (left: TableName, right: TableName) -> Bool { (left.schema, left.name) < (right.schema, right.name) }

    /// Begins the names of the schemas that the tables of scoped backups are put into.
    static let besidePrefix = "belay_restore_"

    /// True for what Belay itself keeps.
    public var isBelays: Bool { schema == "belay" || schema.hasPrefix(Self.besidePrefix) || name.hasPrefix("_belay_") }

    /// For a statement.
    var quoted: String { "\(SQLIdentifier.quoted(schema)).\(SQLIdentifier.quoted(name))" }

    /// A pattern of `pg_dump` and `pg_restore` that matches this table alone: inside of double quotes nothing is a wildcard.
    /// https://www.postgresql.org/docs/15/app-psql.html#APP-PSQL-PATTERNS
    var pattern: String { quoted }
}

extension TableName: CustomStringConvertible {
    public var description: String { "\(schema).\(name)" }
}
