import Model
import Subprocess
import SystemPackage

/// One run of a program, without a shell and without a terminal. What it connects with stands in its environment.
struct ProgramRun: Sendable {
    struct Ended: Sendable {
        var output: String
        var errors: String
    }

    var executable: String
    var arguments: [String]
    /// Beside what is inherited; libpq's variables of Belay's own environment are not.
    var environment: [String: String]
    var deadline: Duration

    /// libpq reads more from the environment than an address says; a stray variable must not lead elsewhere.
    private static let ambient = [
        "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGOPTIONS", "PGAPPNAME",
        "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGTARGETSESSIONATTRS", "PSQLRC", "PSQL_PAGER", "PAGER",
    ]

    private enum Race: Sendable {
        case ended(TerminationStatus, output: String, errors: String)
        case failed(String)
        case timedOut
    }

    private var name: String { executable.split(separator: "/").last.map(String.init) ?? executable }

    var fullEnvironment: Environment {
        var changes: [Environment.Key: String?] = ["LC_ALL": "C", "PGCLIENTENCODING": "UTF8"]
        for variable in Self.ambient where changes[Environment.Key(stringLiteral: variable)] == nil {
            changes[Environment.Key(stringLiteral: variable)] = .some(nil)
        }
        for (variable, value) in environment { changes[Environment.Key(stringLiteral: variable)] = value }
        return .inherit.updating(changes)
    }

    /// Throws unless it ended with 0, or may fail, within its deadline. Cancelling the task stops the program.
    func run(outputLimit: Int, mayFail: Bool = false) async throws(Problem) -> Ended {
        let race: Race = await withTaskGroup(of: Race.self) { group in
            group.addTask { await start(outputLimit) }
            group.addTask {
                do { try await Task.sleep(for: deadline) } catch { return .failed("it was interrupted") }
                return .timedOut
            }
            let first = await group.next() ?? .timedOut
            group.cancelAll()
            return first
        }
        switch race {
        case .ended(let status, let output, let errors):
            guard status.isSuccess || mayFail else {
                throw Problem("ProgramFailed", "\(name) ended with \(status)\(shown(errors).map { ": \($0)" } ?? "")")
            }
            return Ended(output: output, errors: errors)
        case .failed(let why): throw Problem("ProgramFailed", "\(name) could not be run: \(why)")
        case .timedOut:
            throw Problem(
                "ProgramTimedOut", "\(name) did not end within \(deadline) and was stopped",
                next: "look for a lock that it waits for in pg_locks, or give it more time")
        }
    }

    private func start(_ outputLimit: Int) async -> Race {
        do {
            var options = PlatformOptions()
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
            // A broken dump may complain once a row: what comes after the limit is not read, and ends the program.
            let result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments), environment: fullEnvironment, platformOptions: options,
                output: .string(limit: outputLimit), error: .string(limit: 4 << 20))
            return .ended(result.terminationStatus, output: result.standardOutput, errors: result.standardError)
        } catch {
            return .failed("\(error)")
        }
    }

    /// The lines that say what went wrong, without what must not be shown.
    func shown(_ errors: String) -> String? {
        var hidden = errors
        for secret in [environment["PGPASSWORD"]].compactMap(\.self) where !secret.isEmpty {
            hidden = hidden.replacing(secret, with: "…")
        }
        let lines = hidden.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        let failures = lines.filter { $0.contains("error:") || $0.contains("ERROR:") || $0.contains("FATAL:") || $0.contains("DETAIL:") }
        let chosen = failures.isEmpty ? lines.suffix(3) : failures.prefix(3)
        let text = chosen.map { String($0.prefix(300)) }.joined(separator: "; ")
        return text.isEmpty ? nil : text
    }
}
