public import Model
public import ProviderKit
public import State

extension Reconciler {
    /// Observes one database and nothing else; changes nothing.
    public func observe(
        _ database: Database, of system: System, revision: Revision
    ) async throws(StateError) -> DatabaseObservation {
        let alone = system.holding(only: database)
        let request = try await schemaRequest(for: database, of: system, revision: revision, making: false)
        return await observeDatabases(of: alone, request)[database.id]
            ?? .unknown(Problem("NotObserved", "\(database.id): it was not observed", next: "run it again"))
    }

    /// What one database is asked with outside of a pass.
    ///
    /// - Parameter making: whether the state store may make its key now: a reading command leaves no file behind.
    public func schemaRequest(
        for database: Database, of system: System, revision: Revision, making: Bool
    ) async throws(StateError) -> Result<SchemaRequest, Problem>? {
        let alone = system.holding(only: database)
        let recorded = try await store(system).load()
        let observer = try await observer(of: alone, recorded: recorded, making: making)
        return schemaRequest(of: alone, revision: revision, signing: observer.signing)
    }
}

extension System {
    /// Of the same state, with nothing else to be observed.
    fileprivate func holding(only database: Database) -> System {
        var alone = self
        alone.components = []
        alone.databases = [database]
        alone.flags = nil
        return alone
    }
}
