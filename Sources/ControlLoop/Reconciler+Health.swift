import Execution
public import Model
public import Reporting
public import State

extension Reconciler {
    /// Observes every component and runs every check, at most `limit` each.
    public func health(of system: System, within limit: Duration) async throws(StateError) -> HealthReport {
        let world = await observe(system, recorded: try await store(system).load())
        var entries: [HealthReport.Entry] = []
        for component in system.components {
            let checks = await runChecks(component.verify, of: component.id.description, within: limit, transport: transport, clock: clock)
            entries.append(.init(component: component.name, settlement: world.components[component.id]?.settlement, checks: checks))
        }
        if !system.verify.isEmpty {
            let checks = await runChecks(system.verify, of: system.id.description, within: limit, transport: transport, clock: clock)
            entries.append(.init(component: nil, settlement: nil, checks: checks))
        }
        return HealthReport(system: system.id, entries: entries)
    }
}
