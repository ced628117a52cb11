public import Model
public import ProviderKit
import SQL

/// Keeps flags in a table such as `feature_flags(flag_name, status, rollout_percentage, tenant_id, metadata, updated_at)`.
///
/// Only the row without a tenant is Belay's: a tenant's own rows are noted and left alone. All changes are one transaction, which locks the
/// rows, compares them with what was planned with, and tells listeners: `NOTIFY feature_flags, '<name>'` on PostgreSQL.
///
/// Cost: a session for each call; two statements to observe. Observing needs no right but SELECT.
public struct SQLFlagStore: FlagStore {
    private let connect: FlagDatabaseConnector

    public init(connect: @escaping FlagDatabaseConnector) { self.connect = connect }

    public var promise: FlagPromise {
        FlagPromise(
            isAtomic: true, propagation: .zero,
            killSemantics:
                "status disabled: at once for applications that listen to feature_flags or ask the table, for all others when they read it again or start anew"
        )
    }

    public func observe(_ names: [String], in target: SQLFlagTarget) async -> [String: FlagObservation] {
        guard !names.isEmpty else { return [:] }
        let connection: any SQLConnection
        switch await connect(target.databaseName) {
        case .success(let opened): connection = opened
        case .failure(let problem): return FlagObservation.all(names, problem)
        }
        let result: [String: FlagObservation]
        do throws(FlagTable.Reading) {
            let table = try await FlagTable.read(target.table, on: connection, place: target.place)
            result = try await SQLFlagWriting(table: table, connection: connection, place: target.place)
                .observations(of: names, isLocking: false)
        } catch {
            result = FlagObservation.all(names, error.problem(target.place))
        }
        await connection.close()
        return result
    }

    public func apply(_ changes: [FlagChange], to target: SQLFlagTarget, reason: String) async -> ApplyResult {
        if let change = changes.first(where: { $0.to.variant != nil }) {
            return .refused(
                Problem(
                    "NoVariants",
                    "\(target.place): \(change.name) shall serve the variant \(change.to.variant ?? ""), and a table has no variants",
                    next: "leave the variant out, or keep the flag in another store"))
        }
        guard !changes.isEmpty else { return .alreadySo }
        switch await connect(target.databaseName) {
        case .failure(let problem): return .refused(problem)
        case .success(let connection):
            let result = await write(changes, to: target, connection)
            // A transaction that is still open is rolled back.
            await connection.close()
            return result
        }
    }

    private func write(_ changes: [FlagChange], to target: SQLFlagTarget, _ connection: any SQLConnection) async -> ApplyResult {
        do throws(FlagTable.Reading) {
            let table = try await FlagTable.read(target.table, on: connection, place: target.place)
            let writing = SQLFlagWriting(table: table, connection: connection, place: target.place)
            guard try await writing.make(changes) else { return .alreadySo }
        } catch {
            let problem = error.problem(target.place)
            return error.isTemporary ? .throttled(problem) : .refused(problem)
        }
        do throws(SQLError) {
            try await connection.execute("COMMIT")
            return .accepted(["table": target.identity])
        } catch {
            let problem = FlagTable.Reading.failed(error).problem(target.place)
            // Only now may it have taken effect although nobody heard of it. A COMMIT that the database itself refuses rolls back.
            return error.code == .statement ? .refused(problem) : .unknown(problem)
        }
    }
}

extension FlagTable.Reading {
    /// True if it was a lock that others hold.
    var isTemporary: Bool {
        guard case .failed(let error) = self, let state = error.sqlState else { return false }
        return ["55P03", "40001", "40P01"].contains(state) || state.hasPrefix("SQLITE_BUSY") || state.hasPrefix("SQLITE_LOCKED")
    }

    func problem(_ place: String) -> Problem {
        switch self {
        case .unfit(let problem): return problem
        case .failed(let error):
            let message = "\(place): \(error)"
            if isTemporary {
                return Problem("TableBusy", message, next: "wait; the next pass tries again", retryAfter: .seconds(5))
            }
            switch error.sqlState {
            case "42501":
                return Problem("Forbidden", message, next: "grant SELECT to observe the table, and INSERT and UPDATE to change it")
            case "23505":
                return Problem("FlagChanged", message, next: "somebody else made that row at the same time; run again")
            default: break
            }
            let reason =
                switch error.code {
                case .unreachable, .lost: "DatabaseUnreachable"
                case .refusedLogin: "LoginRefused"
                case .cancelled: "Cancelled"
                case .misconfigured: "DatabaseMisconfigured"
                case .statement: "StatementFailed"
                }
            return Problem(reason, message)
        }
    }
}
