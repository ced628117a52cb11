/// One migration to be applied or taken back.
public struct MigrationChange: Sendable, Hashable, Codable {
    /// The full stem.
    public var version: String
    public var isUp: Bool
    /// What is to be run, as the plan saw it: something else is refused. Nil where the plan was made without looking.
    public var script: DatabaseObservation.Script?

    public init(_ version: String, isUp: Bool, script: DatabaseObservation.Script? = nil) {
        self.version = version
        self.isUp = isUp
        self.script = script
    }
}
