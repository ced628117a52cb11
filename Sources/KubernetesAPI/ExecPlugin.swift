import HTTPCore
import JSONValues
import Model
import Subprocess
import SystemPackage
import YAMLReading

/// A program that gives credentials (client.authentication.k8s.io), run without a shell and without a terminal.
struct ExecPlugin: Sendable {
    private static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
    private static let outputLimit = 1 << 20

    var command: String
    var arguments: [String]
    var variables: [String: String]
    var apiVersion: String
    var installHint: String?
    /// The `spec` of `KUBERNETES_EXEC_INFO`.
    var spec: JSON
    /// For messages.
    var user: String
    var timeout: Duration = .seconds(60)

    init(_ node: YAMLNode, of user: Kubeconfig.Entry, server: String, tls: TLSSettings) throws(KubernetesError) {
        func failure(_ message: String, next: String?) -> KubernetesError {
            KubernetesError(.configuration, "kubeconfig \(user.file): the exec plugin of user \(user.name) \(message)", next: next)
        }
        guard let command = node["command"]?.string, !command.isEmpty else { throw failure("names no command", next: nil) }
        guard let apiVersion = node["apiVersion"]?.string, Self.versions.contains(apiVersion) else {
            throw failure(
                "has the apiVersion \(node["apiVersion"]?.string ?? "(none)")",
                next: "use \(Self.versions[0]): a newer version of the plugin's tool writes it")
        }
        if node["interactiveMode"]?.string == "Always" {
            throw failure("needs a terminal (interactiveMode: Always)", next: "use credentials that work without a person")
        }
        // A path with a slash is relative to the kubeconfig, a bare name is looked up in PATH.
        self.command = command.contains("/") ? user.path(command) : command
        arguments = (node["args"]?.items ?? []).compactMap(\.string)
        variables = Dictionary(
            (node["env"]?.items ?? []).compactMap { item in item["name"]?.string.map { ($0, item["value"]?.string ?? "") } },
            uniquingKeysWith: { $1 })
        self.apiVersion = apiVersion
        installHint = node["installHint"]?.string.map(\.trimmed)
        self.user = user.name
        spec = ["interactive": false]
        if node["provideClusterInfo"]?.bool == true {
            spec["cluster"] = ["server": .string(server)]
            if let authorities = tls.certificateAuthorities {
                spec["cluster"]?["certificate-authority-data"] = .string(authorities.base64Encoded)
            }
        }
    }

    private func failure(_ message: String, next: String? = nil) -> KubernetesError {
        KubernetesError(.credentials, "the exec plugin \(command) of user \(user) \(message)", next: next)
    }

    private enum Run: Sendable {
        case ended(TerminationStatus, output: String, errors: String)
        case failed(String)
        case timedOut
    }

    func run(_ environment: ClusterEnvironment) async throws(KubernetesError) -> (Credential, expires: Timestamp?) {
        let info: JSON = ["kind": "ExecCredential", "apiVersion": .string(apiVersion), "spec": spec]
        var all = environment.variables.merging(variables) { $1 }
        all["KUBERNETES_EXEC_INFO"] = info.description
        switch await Self.race(command, arguments, all, timeout) {
        case .timedOut: throw failure("did not end within \(timeout.components.seconds) s", next: "run it by hand to see what it waits for")
        case .failed(let why): throw failure("cannot be run: \(why)", next: installHint ?? "check that it is installed and in PATH")
        case .ended(let status, let output, let errors):
            guard status.isSuccess else {
                throw failure(
                    "ended with \(status)\(Self.shown(errors).map { ": \($0)" } ?? "")", next: "run it by hand; a login may have expired")
            }
            return try read(output)
        }
    }

    /// The last line that says something, as one that may be printed: what looks like a token is hidden.
    private static func shown(_ errors: String) -> String? {
        let lines = errors.split(whereSeparator: \.isNewline).map { line in
            line.split(whereSeparator: \.isWhitespace).map { word in
                let visible = word.unicodeScalars.filter { ![.control, .format].contains($0.properties.generalCategory) }
                return visible.count > 24 ? "…" : String(String.UnicodeScalarView(visible))
            }.filter { !$0.isEmpty }.joined(separator: " ")
        }
        return lines.last { !$0.isEmpty }.map { String($0.prefix(300)) }
    }

    /// Cancelling the child's task ends the process: first politely, then by force.
    private static func race(
        _ command: String, _ arguments: [String], _ variables: [String: String], _ timeout: Duration
    ) async -> Run {
        await withTaskGroup(of: Run.self) { group in
            group.addTask {
                do {
                    var options = PlatformOptions()
                    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
                    let result = try await Subprocess.run(
                        command.contains("/") ? .path(FilePath(command)) : .name(command), arguments: Arguments(arguments),
                        environment: .custom(variables.map { Array("\($0.key)=\($0.value)\0".utf8) }), platformOptions: options,
                        output: .string(limit: outputLimit), error: .string(limit: outputLimit))
                    return .ended(result.terminationStatus, output: result.standardOutput, errors: result.standardError)
                } catch {
                    return .failed("\(error)")
                }
            }
            group.addTask {
                do { try await Task.sleep(for: timeout) } catch { return .failed("the request was cancelled") }
                return .timedOut
            }
            let first = await group.next() ?? .timedOut
            group.cancelAll()
            return first
        }
    }

    private func read(_ output: String) throws(KubernetesError) -> (Credential, expires: Timestamp?) {
        let hint = "run it by hand: it must print an ExecCredential of \(apiVersion)"
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: output) } catch { throw failure("printed something that is \(error)", next: hint) }
        guard json["kind"]?.string == "ExecCredential", json["apiVersion"]?.string == apiVersion, let status = json["status"] else {
            throw failure("printed no ExecCredential of \(apiVersion) with a status", next: hint)
        }
        var credential = Credential(token: status["token"]?.string.flatMap { $0.isEmpty ? nil : $0 })
        credential.clientCertificate = status["clientCertificateData"]?.string.map { Array($0.utf8) }
        credential.clientKey = status["clientKeyData"]?.string.map { Array($0.utf8) }
        guard (credential.clientCertificate == nil) == (credential.clientKey == nil) else {
            throw failure("gave only one of clientCertificateData and clientKeyData", next: hint)
        }
        guard credential.token != nil || credential.clientKey != nil else {
            throw failure("gave neither token nor certificate", next: hint)
        }
        guard let written = status["expirationTimestamp"]?.string else { return (credential, nil) }
        guard let expires = Timestamp(written) else { throw failure("gave the expiry \(written.prefix(40)), which is no time", next: hint) }
        return (credential, expires)
    }
}
