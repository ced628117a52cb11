import Subprocess
import SystemPackage
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program that runs inside a sandbox, with the sandbox's own input and output.
struct Command {
    private let program: String
    private let arguments: [String]

    /// - Parameter words: the program and its arguments; not empty.
    init(_ words: [String]) {
        program = words.first ?? ""
        arguments = Array(words.dropFirst())
    }

    /// Runs it to its end.
    /// - Returns: its exit code; 128 and the signal's number when a signal ended it, as a shell reports it; 127 when there is no such
    ///   program, 126 when it cannot be started.
    func run(with variables: [(name: String, value: String)], forwarding signals: UnixSignalsSequence) async -> Int32 {
        let environment = Environment.inherit.updating(
            Dictionary(variables.map { (Environment.Key(stringLiteral: $0.name), $0.value) }) { _, last in last })
        let executable: Executable = program.contains("/") ? .path(FilePath(program)) : .name(program)
        let (started, continuation) = AsyncStream.makeStream(of: pid_t.self)
        return await withTaskGroup(of: Int32?.self) { group in
            group.addTask {
                do {
                    let result = try await Subprocess.run(
                        executable, arguments: Arguments(arguments), environment: environment, input: .currentStandardInput,
                        output: .currentStandardOutput, error: .currentStandardError
                    ) { execution in
                        continuation.yield(execution.processIdentifier.value)
                    }
                    switch result.terminationStatus {
                    case .exited(let code): return code
                    case .signaled(let signal): return 128 + signal
                    }
                } catch let error as SubprocessError where error.code == .executableNotFound {
                    Console.note("\(program): no such program; is it in PATH?")
                    return 127
                } catch {
                    Console.note("\(program): cannot be run: \(error)")
                    return 126
                }
            }
            group.addTask {
                // A signal that comes before the program has started waits for it.
                for await child in started {
                    for await signal in signals {
                        // Ctrl-C on a terminal reaches the program directly.
                        if signal == .sigint, isatty(STDIN_FILENO) == 1 { continue }
                        kill(child, signal.rawValue)
                    }
                }
                return nil
            }
            for await code in group {
                guard let code else { continue }
                group.cancelAll()
                return code
            }
            return 1
        }
    }
}
