import FoundationEssentials
import Subprocess
import SystemPackage

/// A real Kubernetes control plane, started at most once in a test process and gone soon after it.
///
/// Pods become ready at once, except those whose image has the tag `broken…` (ImagePullBackOff) or `crash…` (CrashLoopBackOff).
public actor ControlPlane {
    public static let shared = ControlPlane()

    /// The reason of a test that is skipped.
    public static let need = "needs a Kubernetes API server: Tests/Support/kube/build-control-plane DIR, then KUBEBUILDER_ASSETS=DIR"

    public static var isAvailable: Bool { !(ProcessInfo.processInfo.environment["KUBEBUILDER_ASSETS"] ?? "").isEmpty }

    public struct Running: Sendable {
        /// Contexts `kt` with a client certificate and `kt-token` with a token.
        public var kubeconfig: String
        public var server: String
        public var token: String
        /// PEM.
        public var certificateAuthorityFile: String
        /// Of the user `admin`.
        public var clientCertificateFile: String
        public var clientKeyFile: String
        /// What the service accounts of ``auditedNamespace`` asked for: an event of the API server a line, in JSON.
        public var auditLog: String
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
        public init(description: String) { self.description = description }
    }

    private var starting: Task<Running, any Error>?

    public func running() async throws -> Running {
        if let starting { return try await starting.value }
        let task = Task {
            // Ports are free when they are chosen, and somebody else may be faster: then once more with others.
            for _ in 0..<4 {
                do { return try await Self.start() } catch let error as Failure where error.description.contains("address already in use") {
                }
            }
            return try await Self.start()
        }
        starting = task
        return try await task.value
    }

    /// Ends the API server of ``shared`` as a power cut does, and starts it again with what it had stored. Returns when it is ready.
    ///
    /// - Parameter pause: how long nobody listens, at least.
    public func restartServer(after pause: Duration) async throws {
        let root = FilePath(try await running().kubeconfig).removingLastComponent()
        let result = try await Subprocess.run(
            .path(Self.scripts.appending("restart-api-server")), arguments: ["\(pause / .seconds(1))"],
            environment: .inherit.updating(["KT_ROOT": root.string]), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "restart-api-server: \(result.standardOutput) \(result.standardError)")
        }
    }

    /// Beside the tests.
    private static var scripts: FilePath {
        var scripts = FilePath(#filePath)
        scripts.removeLastComponent()
        scripts.removeLastComponent()
        return scripts.appending("kube")
    }

    private static func start() async throws -> Running {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "belay-control-plane-\(ProcessInfo.processInfo.processIdentifier)"
        ).path
        let auditLog = "\(root)/audit.log"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data(auditPolicy.utf8).write(to: URL(filePath: "\(root)/audit-policy.yaml"))
        let script = scripts.appending("start-control-plane")
        let token = "control-plane-token-\(UInt32.random(in: 0 ... .max))"
        let result = try await Subprocess.run(
            .path(script),
            environment: .inherit.updating([
                "KT_ROOT": root, "KT_ETCD_PORT": "0", "KT_PEER_PORT": "0", "KT_API_PORT": "0", "KT_KCM_PORT": "0", "KT_TOKEN": token,
                "KT_PARENT": String(ProcessInfo.processInfo.processIdentifier), "KT_READY_PODS": "-q --bind --fail :broken --crash :crash",
                // By default the controllers ask at most 20 times a second, and tests that run side by side wait for each other.
                "KT_KCM_EXTRA": "--kube-api-qps=500 --kube-api-burst=1000",
                "KT_API_EXTRA": "--audit-policy-file=\(root)/audit-policy.yaml --audit-log-path=\(auditLog) --audit-log-mode=blocking",
            ]), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "\(script): \(result.standardOutput) \(result.standardError)")
        }
        let kubeconfig = "\(root)/kubeconfig"
        let text = try String(contentsOf: URL(filePath: kubeconfig), encoding: .utf8)
        guard let server = text.split(separator: "\"").first(where: { $0.hasPrefix("https://") }) else {
            throw Failure(description: "\(kubeconfig) names no server")
        }
        return Running(
            kubeconfig: kubeconfig, server: String(server), token: token, certificateAuthorityFile: "\(root)/pki/ca.crt",
            clientCertificateFile: "\(root)/pki/admin.crt", clientKeyFile: "\(root)/pki/admin.key",
            auditLog: auditLog)
    }

    /// The namespace whose service accounts are audited: what they may do is compared with what they did.
    public static let auditedNamespace = "belay-audited"

    private static let auditPolicy = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        omitStages: [RequestReceived]
        rules:
          - level: Metadata
            userGroups: ["system:serviceaccounts:\(auditedNamespace)"]
          - level: None

        """
}
