public import Model
internal import ProviderKit

/// What is desired, remembered, observed and planned for one system at one moment. Nothing was changed to find it out.
public struct Survey: Sendable {
    public var system: System
    public var revision: Revision
    public var recorded: RecordedState
    public var world: World
    public var plan: Plan
    /// What the components' configuration must be, where it is managed. Holds secrets: for providers, never for output.
    var configurations: [ResourceID: DesiredConfiguration] = [:]
    var keeper: ConfigurationKeeper = .none
    /// Who asks the databases, and what scripts are signed with.
    var schemaRequest: SchemaRequest?
}
