import Execution
import Model
import ProviderKit

extension Reconciler {
    /// What a system's databases are asked with in one pass; nil where there are none. Without a key none is asked: what it then kept would be
    /// signed with nothing.
    /// - Parameter readsAll: whether migrations are of interest that no way to the pin leads through.
    func schemaRequest(
        of system: System, revision: Revision, signing: Result<[UInt8], Problem>, readsAll: Bool = true
    ) -> Result<SchemaRequest, Problem>? {
        guard !system.databases.isEmpty else { return nil }
        return signing.map { key in
            var request = SchemaRequest(
                system: system.id, revision: revision, run: Executor.randomID(), actor: "belay", key: key, backups: backups(system))
            request.readsAll = readsAll
            return request
        }
    }

    /// Runs `work`, in which schemas may be moved: what that holds is prolonged meanwhile, and given back at its end.
    func holdingSchemas<Value: Sendable>(of survey: Survey, _ work: @Sendable () async -> Value) async -> Value {
        guard let schemaDriver, let request = survey.schemaRequest else { return await work() }
        let value = await withTaskGroup(of: Void.self) { group in
            group.addTask { await schemaDriver.keep(request) }
            let value = await work()
            group.cancelAll()
            return value
        }
        await schemaDriver.end(request)
        return value
    }

    /// Lets every database keep copies of what was applied before Belay came. What cannot be kept is told and stops nothing: it is needed only
    /// when a file is gone.
    func adoptDatabases(of survey: Survey, events: @escaping @Sendable (ExecutionEvent) -> Void) async {
        guard let schemaDriver, let request = survey.schemaRequest else { return }
        for database in survey.system.databases {
            guard let observation = survey.world.databases[database.id], observation.applied != nil, observation.blockers.isEmpty,
                observation.summary.unkept > 0
            else { continue }
            if let problem = await schemaDriver.adopt(database, request) {
                events(.notice(database.id, "no copies of the applied migrations could be kept in it: \(problem)"))
            } else {
                events(.notice(database.id, "it keeps copies of \(observation.summary.unkept) applied migrations now"))
            }
        }
    }

    /// Observes every database at once; without a driver each of them is unknown.
    func observeDatabases(of system: System, _ request: Result<SchemaRequest, Problem>?) async -> [ResourceID: DatabaseObservation] {
        guard let request else { return [:] }
        func unknown(_ problem: Problem) -> [ResourceID: DatabaseObservation] {
            Dictionary(uniqueKeysWithValues: system.databases.map { ($0.id, .unknown(problem)) })
        }
        guard let schemaDriver else {
            return unknown(Problem("Unsupported", "this program moves no schemas", next: "run one that does"))
        }
        let asked: SchemaRequest
        switch request {
        case .success(let made): asked = made
        case .failure(let problem): return unknown(problem)
        }
        return await withTaskGroup(of: (ResourceID, DatabaseObservation).self) { group in
            for database in system.databases { group.addTask { (database.id, await schemaDriver.observe(database, asked)) } }
            var found: [ResourceID: DatabaseObservation] = [:]
            for await (id, observation) in group { found[id] = observation }
            return found
        }
    }
}

extension Result where Success == SchemaRequest, Failure == Problem {
    /// Nil where there is no request: then the databases are unknown, and say why.
    var value: SchemaRequest? {
        guard case .success(let request) = self else { return nil }
        return request
    }
}
