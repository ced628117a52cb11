import ArgumentParser
import SandboxServer
import SystemPackage
import UnixSignals

@main
struct BelaySandbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay-sandbox",
        abstract: "Simulated Vercel, Kubernetes, Fly.io and Render APIs on this machine, to try Belay without an account.",
        usage: "belay-sandbox [--world FILE] [--faults FILE] [--env-file FILE] [--speed N] [-- COMMAND…]",
        discussion: """
            With a command, the command runs with the addresses and tokens of all of them set (VERCEL_*, KUBECONFIG, FLY_*, RENDER_*), and its
            exit code is the sandbox's:

              belay-sandbox --world world.yaml -- reconcile plan -f system.yaml

            Without one, the sandbox serves until Ctrl-C or SIGTERM and prints the variables:

              belay-sandbox --world world.yaml --env-file sandbox.env &
              until [ -e sandbox.env ]; do sleep 0.1; done
              . ./sandbox.env
              reconcile plan -f system.yaml
              curl $VERCEL_API_URL/_sandbox/requests   # what was asked, no credentials
              curl $VERCEL_API_URL/_sandbox/world      # what the vendors hold now

            A world file says what the vendors hold at the beginning, a faults file what goes wrong. A fault hits once unless it says otherwise:

              apiVersion: sandbox.belay.dev/v1alpha1
              kind: Faults
              faults:
                - {method: POST, path: /promote/, status: {code: 429, retryAfter: 3}}
                - {method: PATCH, drop: afterEffect}           # or beforeEffect
                - {path: /v6/deployments, answer: truncated}   # or notJSON
                - {simulator: kubernetes, delay: 5s, skip: 2, times: all}

            More faults can be added while it runs, by POST of such a file to /_sandbox/faults.
            """,
        version: "belay-sandbox 0.1.0")

    @Option(
        help: ArgumentHelp("What the vendors hold; without it, nothing.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var world: String?

    @Option(help: ArgumentHelp("What goes wrong.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var faults: String?

    @Option(
        help: ArgumentHelp(
            "Where to write `export NAME=value` lines as soon as the sandbox answers. Readable by its owner only; removed at the end.",
            valueName: "file"), completion: .file())
    var envFile: String?

    @Option(help: ArgumentHelp("How much faster than real time builds, rollouts and delays pass.", valueName: "n"))
    var speed: Double = 1

    @Argument(parsing: .postTerminator, help: ArgumentHelp("A program to run, with its arguments.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        guard speed.isFinite, speed > 0, speed <= 1_000_000 else {
            throw ValidationError("--speed is a number above 0 and at most 1000000, not \(speed)")
        }
    }

    func run() async throws {
        var code: Int32 = 0
        do {
            let sandbox = try await start()
            do { code = try await serve(sandbox) } catch {
                try await sandbox.stop()
                throw error
            }
            try await sandbox.stop()
            if let envFile { try PrivateFile.remove(envFile) }
        } catch let error as SandboxError {
            Console.note(error.message)
            code = 1
        }
        guard code == 0 else { throw ExitCode(code) }
    }

    private func start() async throws(SandboxError) -> Sandbox {
        // An old file would be taken for this run's.
        if let envFile { try PrivateFile.remove(envFile) }
        var problems: [String] = []
        func read<Value>(_ path: String?, _ make: ([UInt8], String) throws(SandboxError) -> Value) -> Value? {
            guard let path else { return nil }
            do throws(SandboxError) { return try make(try contents(path), path) } catch {
                problems.append(error.message)
                return nil
            }
        }
        let world = read(self.world) { bytes, path throws(SandboxError) in try WorldFile(reading: bytes, file: path) }
        let faults = read(self.faults) { bytes, path throws(SandboxError) in try FaultsFile(reading: bytes, file: path) }
        guard problems.isEmpty else { throw SandboxError(.file, problems.joined(separator: "\n")) }
        return try await Sandbox.start(world: world ?? .empty, faults: faults?.faults ?? [], speed: speed)
    }

    private func contents(_ path: String) throws(SandboxError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                while true {
                    let chunk = try [UInt8](unsafeUninitializedCapacity: 64 << 10) {
                        $1 = try file.read(into: UnsafeMutableRawBufferPointer($0))
                    }
                    bytes += chunk
                    // The reader refuses what is larger than its limit; there is no need to hold all of it.
                    if chunk.isEmpty || bytes.count > 16 << 20 { return bytes }
                }
            }
        } catch { throw SandboxError(.file, "\(path): cannot be read: \(error)") }
    }

    /// Serves until the command ends or a signal arrives.
    /// - Returns: the exit code.
    private func serve(_ sandbox: Sandbox) async throws(SandboxError) -> Int32 {
        // Signals are caught before anybody is told that the sandbox is there.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let exports = sandbox.environment.map { "export \($0.name)=\($0.value.shellQuoted)\n" }.joined()
        if let envFile { try PrivateFile.write(exports, to: envFile) }
        guard command.isEmpty else { return await Command(command).run(with: sandbox.environment, forwarding: signals) }
        Console.output(exports)
        Console.note("The sandbox answers until Ctrl-C or SIGTERM.")
        for await _ in signals { break }
        return 0
    }
}
