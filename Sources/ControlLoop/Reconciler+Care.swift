import ConfigurationValues
import Execution
public import Model
public import ProviderKit
public import State

extension Reconciler {
    /// What a command asks a system's databases with: backups and archived scripts are signed as a pass signs them.
    ///
    /// - Parameters:
    ///   - actor: for people: `ann@laptop`.
    ///   - making: whether the state store may make its key now: a reading command leaves no file behind.
    public func careRequest(
        of system: System, revision: Revision, actor: String, making: Bool
    ) async throws(StateError) -> Result<SchemaRequest, Problem> {
        try await configurationKey(of: system, making: making).map { key in
            SchemaRequest(
                system: system.id, revision: revision, run: Executor.randomID(), actor: actor, key: key.signing, backups: backups(system))
        }
    }

    /// Runs `body` while no pass of the system can: with its lock held. `body` is told whether a transition is open.
    ///
    /// Throws `body`'s problem, or one with the reason `Locked` when somebody else works on the system.
    public func alone<Value: Sendable>(
        with system: System, _ holder: LockHolder, _ body: (Transition?) async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        do {
            let outcome: Result<Value, Problem> = try await store(system).withLock(holder, patience: .seconds(1), clock: clock) { session in
                let transition = await session.state.transition
                do throws(Problem) { return .success(try await body(transition)) } catch { return .failure(error) }
            }
            return try outcome.get()
        } catch let problem as Problem {
            throw problem
        } catch let error as StateError {
            throw error.problem
        } catch {
            throw Problem("Interrupted", "\(system.id): it was interrupted", next: "run it again")
        }
    }
}
