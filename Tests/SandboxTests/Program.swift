import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

/// The built program, run as a user runs it.
struct Program {
    struct Ended {
        var status: TerminationStatus
        var output: String
        var errors: String
    }

    private let path: FilePath

    /// Looks next to the tests' own executable.
    init() throws {
        let folder = FilePath(CommandLine.arguments[0]).removingLastComponent()
        path = folder.appending("belay-sandbox")
        try #require(FileManager.default.fileExists(atPath: path.string), "belay-sandbox is not in \(folder)")
    }

    /// Runs it to its end.
    func run(_ arguments: [String], with variables: [Environment.Key: String?] = [:]) async throws -> Ended {
        let result = try await Subprocess.run(
            .path(path), arguments: Arguments(arguments), environment: .inherit.updating(variables), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        return Ended(status: result.terminationStatus, output: result.standardOutput, errors: result.standardError)
    }

    /// Runs it until it says that it answers, gives `body` the variables that it printed, and sends a signal.
    /// - Returns: how it ended, and how long after the signal.
    func serve(
        _ arguments: [String], until signal: Signal, body: @Sendable ([String: String]) async throws -> Void
    ) async throws -> (status: TerminationStatus, after: Duration) {
        let result = try await Subprocess.run(
            .path(path), arguments: Arguments(arguments), input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            var variables: [String: String] = [:]
            for try await line in execution.standardOutput.strings() {
                if line.hasPrefix("The sandbox answers") { break }
                let pair = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
                try #require(line.hasPrefix("export ") && pair.count == 2, "not an export: \(line)")
                variables[String(pair[0])] = String(pair[1])
            }
            do { try await body(variables) } catch {
                try execution.send(signal: .kill)
                throw error
            }
            try execution.send(signal: signal)
            return ContinuousClock.now
        }
        return (result.terminationStatus, ContinuousClock.now - result.closureResult)
    }
}

/// A folder of its own for one test.
struct Place {
    let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "sandbox-test-\(UInt64.random(in: .min ... .max))").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        return path(name)
    }

    func remove() throws { try FileManager.default.removeItem(atPath: root) }
}
