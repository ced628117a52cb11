/// The source's version: what was read, so that what was done can be traced to it.
public struct Revision: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Codable {
        /// A Git commit; `id` is the full object name.
        case commit
        /// A digest over the files' names and bytes: it has no before and after.
        case digest
        /// A generation of an object in a cluster; `id` is the object's own id, a slash and the number.
        case generation
    }

    public var kind: Kind
    public var id: String
    /// True if the files differ from what the commit holds.
    public var isDirty: Bool
    /// The committer's time of a commit; nil for a digest.
    public var committed: Timestamp?

    public init(_ kind: Kind, _ id: String, isDirty: Bool = false, committed: Timestamp? = nil) {
        self.kind = kind
        self.id = id
        self.isDirty = isDirty
        self.committed = committed
    }
}

extension Revision: CustomStringConvertible {
    /// For people: twelve digits, and whether the tree was dirty.
    public var description: String {
        let short = String(id.prefix(12))
        return switch kind {
        case .commit: isDirty ? "\(short)-dirty" : short
        case .digest: "sha256:\(short)"
        case .generation: "generation \(generation ?? 0)"
        }
    }

    /// The number of a generation; nil for the other kinds.
    public var generation: Int? { kind == .generation ? id.split(separator: "/").last.flatMap { Int($0) } : nil }

    /// How it stands in a column: `7` for a generation, twelve digits else.
    public var short: String { generation.map(String.init) ?? String(id.prefix(12)) }
}
