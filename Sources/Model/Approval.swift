/// What a plan would lose, as somebody answers for it: the set of destructive migrations, and at most how many rows go with them.
public struct Approval: Sendable, Hashable, Codable {
    /// One destructive migration.
    public struct Item: Sendable, Hashable, Codable {
        public var database: String
        public var version: String
        public var isUp: Bool
        /// Of the script that is run, SHA-256 in hexadecimal.
        public var hash: String
        /// An approval is for one occasion: applied again, the migration needs another one.
        public var occasion: Int

        public init(database: String, version: String, isUp: Bool, hash: String, occasion: Int) {
            self.database = database
            self.version = version
            self.isUp = isUp
            self.hash = hash
            self.occasion = occasion
        }
    }

    /// In the order in which they are run.
    public var items: [Item]
    /// Rows that may be lost or changed by all of them together; nil where they could not be counted, which approves any number.
    public var rows: Int?
    /// Twelve hexadecimal digits that stand for all of it.
    public var digest: String

    public init(items: [Item], rows: Int?, digest: String) {
        self.items = items
        self.rows = rows
        self.digest = digest
    }
}
