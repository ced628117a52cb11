import Execution
public import Model
public import Reporting
public import State

extension Reconciler {
    /// Observes every component, then runs every check of the system side by side, so that it takes about `limit` at most.
    public func health(of system: System, within limit: Duration) async throws(StateError) -> HealthReport {
        let recorded = try await store(system).load()
        let world = try await observer(of: system, recorded: recorded, making: false).observe(system)
        var subjects = system.components.map { component in
            (component.id.description, component.name as String?, world.components[component.id]?.settlement, component.verify)
        }
        if !system.verify.isEmpty { subjects.append((system.id.description, nil, nil, system.verify)) }
        return await withTaskGroup(of: (Int, HealthReport.Entry).self) { group in
            for (index, (subject, component, settlement, checks)) in subjects.enumerated() {
                group.addTask {
                    let reports = await runChecks(checks, of: subject, within: limit, transport: transport, clock: clock)
                    return (index, HealthReport.Entry(component: component, settlement: settlement, checks: reports))
                }
            }
            var entries: [Int: HealthReport.Entry] = [:]
            for await (index, entry) in group { entries[index] = entry }
            return HealthReport(system: system.id, entries: entries.sorted { $0.key < $1.key }.map(\.value))
        }
    }
}
