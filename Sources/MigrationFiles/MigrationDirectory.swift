/// A directory of migrations, read: in the order in which they are applied.
public struct MigrationDirectory: Sendable, Hashable {
    public var format: MigrationFormat
    public var order: MigrationOrder
    /// In ``order``; repeatable ones last.
    public var migrations: [MigrationFile]

    public init(format: MigrationFormat, order: MigrationOrder, migrations: [MigrationFile]) {
        self.format = format
        self.order = order
        self.migrations = migrations
    }
}

/// A file that was found under the directory.
public struct MigrationSource: Sendable, Hashable {
    /// Relative to the directory, with `/`.
    public var path: String
    public var bytes: [UInt8]

    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Everything that is wrong with a directory of migrations, at once.
public struct MigrationFileErrors: Error, Sendable, Hashable {
    public struct Mistake: Sendable, Hashable {
        /// CamelCase, stable: `AmbiguousOrder`, `TransactionControlInMigration`.
        public var reason: String
        /// Relative to the directory; empty for what concerns the directory as a whole.
        public var path: String
        /// Both counted from 1; nil where no place in a file is meant.
        public var line: Int?
        public var column: Int?
        /// What is wrong, and what to do.
        public var message: String

        public init(_ reason: String, path: String = "", line: Int? = nil, column: Int? = nil, _ message: String) {
            self.reason = reason
            self.path = path
            self.line = line
            self.column = column
            self.message = message
        }
    }

    /// Sorted by path, then by place.
    public var mistakes: [Mistake]

    public init(_ mistakes: [Mistake]) { self.mistakes = mistakes }
}
