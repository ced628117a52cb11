public import Model
public import SpecFields

/// A table of flags in a database of the system.
public struct SQLFlagTarget: FlagTarget, Hashable {
    public static let store = "sql"
    /// A row says on or off, and for how many percent.
    public static let hasVariants = false
    /// The database's name in the spec.
    public var databaseName: String
    /// With its schema where it is not found without: `app.feature_flags`.
    public var table: String

    public init(database: String, table: String = "feature_flags") {
        databaseName = database
        self.table = table
    }

    public var identity: String { "\(databaseName)/\(table)" }
    public var database: String? { databaseName }
}

extension SQLFlagTarget: SpecObject {
    public init(_ fields: inout Fields) {
        databaseName = fields.required("database", .string(.name), "The database of this system that holds the table.")
        table = fields.optional(
            "table", .string(.flagTable), default: "feature_flags", "The table, with its schema where it is not found without it.")
    }
}

extension StringRule {
    fileprivate static let flagTable = StringRule(
        pattern: "^[A-Za-z_][A-Za-z0-9_$]{0,62}(\\.[A-Za-z_][A-Za-z0-9_$]{0,62})?$",
        hint: "the name of a table, or a schema's and a table's with a '.' in between"
    ) { text in
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                guard let first = part.utf8.first, isLetter(first), part.utf8.count <= 63 else { return false }
                return part.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "$") }
            }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
}
