import TestPrograms

/// The program behind a shell, for redirections.
enum BuiltShell {
    /// The program's path, quoted.
    static var reconcile: String { "'\(BuiltProgram.path(of: "reconcile"))'" }

    static func run(_ line: String) async throws -> BuiltProgram.Ended {
        try await BuiltProgram(onSearchPath: "bash").run(["-c", line])
    }
}
