import Model
import ProviderKit
import State
import Synchronization

extension StepRunner {
    /// The whole way of a schema, before the first statement of it.
    func confirmSchema(_ step: Step) async throws(StateError) -> Outcome {
        guard let (database, driver, request) = await schema(of: step) else { return .failed(.noDriver(step)) }
        let changes = plan.steps.compactMap { other -> MigrationChange? in
            guard other.resource == step.resource, case .migrate(let change) = other.action else { return nil }
            return change
        }
        if let problem = await driver.confirm(changes, of: database, request) { return .failed(problem) }
        return .succeeded("as planned")
    }

    func migrate(_ change: MigrationChange, _ step: Step) async throws(StateError) -> Outcome {
        guard let (database, driver, request) = await schema(of: step) else { return .failed(.noDriver(step)) }
        if Task.isCancelled { return .skipped("the pass was interrupted") }
        // Not interrupted once it has begun: what a cancelled statement left would have to be found out again.
        let end = await driver.migrate(change, of: database, request) { self.progress(step, $0) }
        switch end {
        case .done(let text):
            if !change.isRepeatable { schemas.withLock { $0[database.name] = plan.position(after: change, of: database) } }
            return .succeeded(text)
        case .failed(let problem): return .failed(problem)
        case .undecided(let problem): return .undecided(problem)
        }
    }

    func backUp(_ step: Step) async -> Outcome {
        guard let (database, driver, request) = await schema(of: step) else { return .failed(.noDriver(step)) }
        switch await driver.backUp(database, request, progress: { self.progress(step, $0) }) {
        case .success(let id): return .succeeded("backup \(id)")
        case .failure(let problem): return .failed(problem)
        }
    }

    func checkData(_ step: Step) async throws(StateError) -> Outcome {
        guard let (database, driver, _) = await schema(of: step) else { return .failed(.noDriver(step)) }
        if let problem = await driver.check(database.checks, of: database) { return .failed(problem) }
        try await pay(.check(database.id))
        return .succeeded(database.checks.count == 1 ? "check passed" : "\(database.checks.count) checks passed")
    }

    private func schema(of step: Step) async -> (Database, any SchemaDriver, SchemaRequest)? {
        guard let database = system.databases.first(where: { $0.id == step.resource }), let driver = stores.schemaDriver,
            var request = stores.schemaRequest
        else { return nil }
        let approved = await session.state.transition?.approved
        request.approvedRows = approved == nil ? 0 : approved?.rows
        return (database, driver, request)
    }
}

extension Plan {
    /// Where a schema stands once a migration has been run, as far as the plan tells: it is what releases are recorded with.
    fileprivate func position(after change: MigrationChange, of database: Database) -> String {
        if change.isUp { return change.version }
        let own = steps.compactMap { step -> MigrationChange? in
            guard step.resource == database.id, case .migrate(let change) = step.action else { return nil }
            return change
        }
        guard let index = own.firstIndex(of: change) else { return change.version }
        // The next one that goes back stands on top then; behind the last one stands the pin, unless more is to come.
        if index + 1 < own.count, !own[index + 1].isUp { return own[index + 1].version }
        return resolutions[database.id]?.identity.value ?? database.schema
    }
}

extension Problem {
    fileprivate static func noDriver(_ step: Step) -> Problem {
        Problem("Unsupported", "\(step.id): there is nothing that could do this", next: "report this as a bug of Belay")
    }
}
