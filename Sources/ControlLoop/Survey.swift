public import Model

/// What is desired, remembered, observed and planned for one system at one moment. Nothing was changed to find it out.
public struct Survey: Sendable {
    public var system: System
    public var revision: Revision
    public var recorded: RecordedState
    public var world: World
    public var plan: Plan
}
