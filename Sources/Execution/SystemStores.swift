public import ProviderKit

/// What moves the schemas of a system and sets its flags, and where they stand as a pass begins.
public struct SystemStores: Sendable {
    /// Nil for a system without databases.
    public var schemaDriver: (any SchemaDriver)?
    public var schemaRequest: SchemaRequest?
    /// Nil for a system without flags.
    public var flagStore: AnyFlagStore?
    /// The last applied migration of each database, by the database's name.
    public var schemas: [String: String]

    public init(
        schemaDriver: (any SchemaDriver)? = nil, schemaRequest: SchemaRequest? = nil, flagStore: AnyFlagStore? = nil,
        schemas: [String: String] = [:]
    ) {
        self.schemaDriver = schemaDriver
        self.schemaRequest = schemaRequest
        self.flagStore = flagStore
        self.schemas = schemas
    }
}
