import Execution
public import Model
import ProviderKit
public import Reporting
public import State

extension Reconciler {
    /// Observes every component and every database, then runs every check of the system side by side, so that it takes about `limit` at
    /// most. A question to a database's data is asked once, and may take as long as in a pass.
    public func health(of system: System, revision: Revision, within limit: Duration) async throws(StateError) -> HealthReport {
        let recorded = try await store(system).load()
        let observer = try await observer(of: system, recorded: recorded, making: false)
        async let databases = databaseEntries(
            of: system, schemaRequest(of: system, revision: revision, signing: observer.signing))
        let world = await observer.observe(system)
        var subjects = system.components.map { component in
            (component.id.description, component.name as String?, world.components[component.id]?.settlement, component.verify)
        }
        if !system.verify.isEmpty { subjects.append((system.id.description, nil, nil, system.verify)) }
        let entries = await withTaskGroup(of: (Int, HealthReport.Entry).self) { group in
            for (index, (subject, component, settlement, checks)) in subjects.enumerated() {
                group.addTask {
                    let reports = await runChecks(checks, of: subject, within: limit, transport: transport, clock: clock)
                    return (index, HealthReport.Entry(component: component, settlement: settlement, checks: reports))
                }
            }
            var entries: [Int: HealthReport.Entry] = [:]
            for await (index, entry) in group { entries[index] = entry }
            return entries.sorted { $0.key < $1.key }.map(\.value)
        }
        // The system's own checks stay last.
        let count = system.components.count
        return HealthReport(system: system.id, entries: entries.prefix(count) + (await databases) + entries.dropFirst(count))
    }

    /// In the spec's order.
    private func databaseEntries(of system: System, _ request: Result<SchemaRequest, Problem>?) async -> [HealthReport.Entry] {
        let observations = await observeDatabases(of: system, request)
        return await withTaskGroup(of: (Int, HealthReport.Entry).self) { group in
            for (index, database) in system.databases.enumerated() {
                group.addTask {
                    let problem = observations[database.id]?.problem
                    var answers: [HealthReport.Entry.Answer] = []
                    // Whoever does not answer is not asked again.
                    if problem == nil, let schemaDriver {
                        for check in database.checks {
                            answers.append(.init(check, await schemaDriver.check([check], of: database)))
                        }
                    }
                    return (index, HealthReport.Entry(database: database.name, problem: problem, answers: answers))
                }
            }
            var entries: [Int: HealthReport.Entry] = [:]
            for await (index, entry) in group { entries[index] = entry }
            return entries.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
