/// A right on a relation without which a statement fails. Only those are told that concern a relation that was there before.
public struct NeededRight: Sendable, Hashable {
    public enum Kind: String, Sendable {
        /// To be its owner, or a member of that role: `ALTER`, `CREATE INDEX`, `COMMENT`.
        case owner
        /// The same, or to own its schema: `DROP`.
        case dropping
        case insert, update, delete, truncate, references, trigger
    }

    public var kind: Kind
    /// Written as ``StatementFacts/Loss/object`` is, and called as before the script runs.
    public var relation: String

    public init(_ kind: Kind, _ relation: String) {
        self.kind = kind
        self.relation = relation
    }
}
