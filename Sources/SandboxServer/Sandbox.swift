import FoundationEssentials
import HTTPCore
public import Simulators

/// A whole sandbox: every vendor with a world, a token of its own and its credentials in the environment's form.
public struct Sandbox: Sendable {
    /// The variables that a client needs, credentials included.
    public let environment: [(name: String, value: String)]
    public let server: RunningSandbox
    private let folder: URL

    /// - Parameters:
    ///   - speed: how much faster than real time the simulated vendors live.
    public static func start(world: WorldFile = .empty, faults: [Fault] = [], speed: Double = 1) async throws(SandboxError) -> Sandbox {
        var tokens: [String: String] = [:]
        for vendor in Vendor.all { tokens[vendor.name] = randomToken() }
        let clock = SandboxServer.realTime(speed: speed)
        let simulators = try world.makeSimulators(tokens: tokens, clock: clock)
        let folder = FileManager.default.temporaryDirectory.appending(path: "belay-sandbox-\(randomToken().suffix(12))")
        let server = try await SandboxServer.start(
            simulators: simulators, faults: FaultRules(faults), clock: clock, speed: speed, secrets: Array(tokens.values))
        do {
            let environment = try Self.environment(urls: server.urls, tokens: tokens, folder: folder)
            return Sandbox(environment: environment, server: server, folder: folder)
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Stops the listeners and removes the kubeconfig. May be called twice.
    public func stop() async throws(SandboxError) {
        await server.stop()
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        do { try FileManager.default.removeItem(at: folder) } catch {
            throw SandboxError(.write, "cannot remove \(folder.path): \(error)")
        }
    }

    /// Where a proxy is set, clients would send to it what is meant for this machine.
    private static var noProxy: [(name: String, value: String)] {
        let own = ProcessInfo.processInfo.environment
        let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        guard names.contains(where: { own[$0]?.isEmpty == false }) else { return [] }
        let hosts = [own["no_proxy"] ?? own["NO_PROXY"], "127.0.0.1"].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ",")
        return [("no_proxy", hosts), ("NO_PROXY", hosts)]
    }

    private static func environment(
        urls: [String: String], tokens: [String: String], folder: URL
    ) throws(SandboxError) -> [(name: String, value: String)] {
        var environment: [(name: String, value: String)] = []
        for vendor in Vendor.all {
            guard let url = urls[vendor.name], let token = tokens[vendor.name] else { continue }
            switch vendor.access {
            case .variables(urls: let urlNames, token: let tokenName): environment += urlNames.map { ($0, url) } + [(tokenName, token)]
            case .kubeconfig:
                let file = folder.appending(path: "kubeconfig")
                do {
                    try FileManager.default.createDirectory(
                        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                } catch { throw SandboxError(.write, "cannot make the folder \(folder.path): \(error)") }
                try PrivateFile.write(kubeconfig(server: url, token: token), to: file.path)
                environment.append(("KUBECONFIG", file.path))
            }
        }
        return environment + noProxy
    }

    private static func kubeconfig(server: String, token: String) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: sandbox
        contexts:
          - name: sandbox
            context: {cluster: sandbox, user: sandbox, namespace: default}
        clusters:
          - name: sandbox
            cluster: {server: "\(server)"}
        users:
          - name: sandbox
            user: {token: "\(token)"}

        """
    }

    /// 128 random bits. The beginning makes one that leaked recognisable as harmless.
    private static func randomToken() -> String {
        let halves = [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return "sandbox-" + halves.joined()
    }
}
