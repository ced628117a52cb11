public import Model
public import State

extension Reconciler {
    /// Observes one database and nothing else; changes nothing.
    public func observe(
        _ database: Database, of system: System, revision: Revision
    ) async throws(StateError) -> DatabaseObservation {
        var alone = system
        alone.components = []
        alone.databases = [database]
        let recorded = try await store(system).load()
        let observer = try await observer(of: alone, recorded: recorded, making: false)
        let found = await observeDatabases(of: alone, schemaRequest(of: alone, revision: revision, signing: observer.signing))
        return found[database.id] ?? .unknown(Problem("NotObserved", "\(database.id): it was not observed", next: "run it again"))
    }
}
