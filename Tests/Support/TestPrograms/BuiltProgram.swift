import FoundationEssentials
import Subprocess
import SystemPackage

/// A program of this package or of the machine, run as a user runs it.
public struct BuiltProgram: Sendable {
    public struct Ended: Sendable {
        /// The exit code; 128 and the signal's number when a signal ended it.
        public var status: Int32
        public var output: String
        public var errors: String
    }

    private let executable: Executable
    /// As a shell finds it.
    private let command: String

    /// A program that this package builds: it lies beside the tests' own executable.
    public init(_ name: String) {
        command = Self.path(of: name)
        executable = .path(FilePath(command))
    }

    /// Where a program of this package lies.
    public static func path(of name: String) -> String {
        FilePath(CommandLine.arguments[0]).removingLastComponent().appending(name).string
    }

    /// A program of the machine.
    public init(onSearchPath name: String) {
        command = name
        executable = .name(name)
    }

    /// What the machine that runs the tests says of itself and of its network, and what would change how a program behaves.
    private static let machine = [
        "ALL_PROXY", "CI", "FORCE_COLOR", "GITHUB_STEP_SUMMARY", "HTTP_PROXY", "HTTPS_PROXY", "NO_COLOR", "PGDATABASE", "PGHOST",
        "PGOPTIONS",
        "PGPASSWORD", "PGPORT", "PGUSER", "all_proxy", "http_proxy", "https_proxy",
    ]

    private static func environment(_ variables: [String: String?]) -> Environment {
        var changes: [Environment.Key: String?] = [:]
        for name in machine { changes[Environment.Key(stringLiteral: name)] = .some(nil) }
        for (name, value) in variables { changes[Environment.Key(stringLiteral: name)] = value }
        return .inherit.updating(changes)
    }

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - variables: added to the environment of the tests, in which nothing says what machine it is; nil removes one.
    ///   - directory: where it runs; nil: where the tests run.
    public func run(_ arguments: [String], variables: [String: String?] = [:], in directory: String? = nil) async throws -> Ended {
        let result = try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: Self.environment(variables),
            workingDirectory: directory.map { FilePath($0) }, output: .string(limit: 8 << 20), error: .string(limit: 8 << 20))
        return Ended(result.terminationStatus, result.standardOutput, result.standardError)
    }

    /// What a program is ended with.
    public enum End: Sendable {
        /// As a power cut would.
        case kill
        case terminate, interrupt

        var signal: Signal {
            switch self {
            case .kill: .kill
            case .terminate: .terminate
            case .interrupt: .interrupt
            }
        }
    }

    /// Runs it until `moment` returns, and ends it then. A program that has ended by then has ended by itself.
    public func run(
        _ arguments: [String], variables: [String: String?] = [:], in directory: String? = nil, by end: End = .kill,
        killedAfter moment: @Sendable () async throws -> Void
    ) async throws -> Ended {
        try await run(arguments, variables: variables, in: directory) { _ in
            try await moment()
            return end
        }
    }

    /// Runs it until `moment`, which is told the id of the process, returns how to end it.
    public func run(
        _ arguments: [String], variables: [String: String?] = [:], in directory: String? = nil,
        until moment: @Sendable (_ process: Int) async throws -> End
    ) async throws -> Ended {
        let result = try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: Self.environment(variables),
            workingDirectory: directory.map { FilePath($0) }, input: .none, output: .string(limit: 8 << 20), error: .string(limit: 8 << 20)
        ) { execution in
            let end: End
            do { end = try await moment(Int(execution.processIdentifier.value)) } catch {
                try execution.send(signal: .kill)
                throw error
            }
            try execution.send(signal: end.signal)
        }
        return Ended(result.terminationStatus, result.standardOutput, result.standardError)
    }

    /// The same, with its standard output in a file that can be read while it runs.
    public func run(
        _ arguments: [String], into file: String, variables: [String: String?] = [:], in directory: String? = nil, by end: End = .kill,
        killedAfter moment: @Sendable () async throws -> Void
    ) async throws -> Ended {
        try Data().write(to: URL(filePath: file))
        var ended = try await BuiltProgram(onSearchPath: "sh").run(
            ["-c", "exec \"$0\" \"$@\" > '\(file)'", command] + arguments, variables: variables, in: directory, by: end, killedAfter: moment
        )
        ended.output = try String(contentsOfFile: file, encoding: .utf8)
        return ended
    }
}

extension BuiltProgram.Ended {
    fileprivate init(_ status: TerminationStatus, _ output: String, _ errors: String) {
        let number: Int32 =
            switch status {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        self.init(status: number, output: output, errors: errors)
    }
}
