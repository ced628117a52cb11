import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@main
struct Reconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Brings what runs to what a spec file pins: rolls a whole system back, and forward again.",
        discussion: """
            A spec pins the release of every component of a system. Committing an older pin is the rollback.

              reconcile plan -f system.yaml          what would be done
              reconcile --once -f system.yaml        do it; for --adopt, --force and --timeout: reconcile run --help
              reconcile -f specs/                    keep doing it; --git, --cluster
              reconcile status -f system.yaml        what is pinned, what runs
              reconcile history web -f system.yaml   where web could go back to
              reconcile rollback web -f system.yaml  pin what web ran before, in the file

            Exit codes: 0 converged or in sync; 1 failed, or a spec that does not load;
            2 changes pending (plan); 3 blocked: needs adoption, locked, an older revision;
            64 usage. Of several systems the worst counts.

            Credentials come from the environment: VERCEL_TOKEN; FLY_API_TOKEN;
            RENDER_API_KEY; KUBECONFIG, or the service account of the pod.
            """,
        version: Version.current,
        subcommands: [
            RunCommand.self, PlanCommand.self, ValidateCommand.self, StatusCommand.self, HistoryCommand.self, HealthCommand.self,
            PinCommand.self, RollbackCommand.self, FlagCommand.self, MigrateCommand.self, BackupCommand.self, RestoreCommand.self,
            DrillCommand.self, ForgetCommand.self, GenerateCommand.self,
        ],
        // A command of its own: options of the root command would swallow those of the others.
        defaultSubcommand: RunCommand.self)
}

extension Reconcile {
    /// As ArgumentParser's own, but for the end: handlers of `exit` are not run. One of them takes OpenSSL down, and would do so under the
    /// thread that is still closing connections.
    static func main() async {
        var status = ExitCode.success
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch {
            status = exitCode(for: error)
            let message = fullMessage(for: error)
            if status == .validationFailure, UsageError.wantsJSON(CommandLine.arguments) {
                print(UsageError(message: self.message(for: error)).text)
            }
            if status == .success, !message.isEmpty { print(message) }
            if status != .success, !message.isEmpty {
                _ = Array((message + "\n").utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            }
        }
        fflush(nil)
        _exit(status.rawValue)
    }
}

/// The program's version, in `--version` and in every request's `User-Agent`.
enum Version {
    static let current = "0.1.0"
}
