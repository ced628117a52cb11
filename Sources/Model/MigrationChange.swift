/// One migration to be applied or taken back.
public struct MigrationChange: Sendable, Hashable, Codable {
    /// The full stem.
    public var version: String
    public var isUp: Bool
    /// It stands at no position of the schema: running it moves none.
    public var isRepeatable: Bool
    /// What is to be run, as the plan saw it: something else is refused. Nil where the plan was made without looking.
    public var script: DatabaseObservation.Script?

    public init(_ version: String, isUp: Bool, isRepeatable: Bool = false, script: DatabaseObservation.Script? = nil) {
        self.version = version
        self.isUp = isUp
        self.isRepeatable = isRepeatable
        self.script = script
    }

    /// The backup that is restored instead of running a script; nil for every other change.
    public var restoredBackup: String? { script?.restoredBackup }
}
