import FoundationEssentials
import HTTPCore
import JSONValues
import Model
import Synchronization
import Testing
import YAMLReading

@testable import KubernetesAPI

struct CredentialsTests {
    @Test func aTokenFileIsReadAgainAfterAMinute() async throws {
        let machine = Machine(["/token": "one\n"])
        let credentials = Credentials(.tokenFile("/token"), environment: machine.environment)
        #expect(try await credentials.current().token == "one")
        machine.files.withLock { $0["/token"] = "two" }
        machine.advance(by: .seconds(59))
        #expect(try await credentials.current().token == "one")
        machine.advance(by: .seconds(1))
        #expect(try await credentials.current().token == "two")
    }

    @Test func aRefusedTokenIsReadAgainAtOnceAndTheRequestSentOnceMore() async throws {
        let machine = Machine(["/token": "one"])
        let transport = ScriptedTransport(.json(401, ["kind": "Status"]), .json(200, ["kind": "Pod"]))
        let client = KubernetesClient(.make(.tokenFile("/token"), machine: machine), transport: transport)
        _ = try await client.credentials.current()
        machine.files.withLock { $0["/token"] = "two" }
        _ = try await client.get(.pods, namespace: "a", name: "b")
        #expect(transport.requests.map { $0.headers["Authorization"] } == ["Bearer one", "Bearer two"])
    }

    @Test func aTokenThatCannotBeRenewedIsSentOnce() async {
        let transport = ScriptedTransport(.json(401, ["kind": "Status", "message": "Unauthorized"]), .json(200, [:]))
        let client = KubernetesClient(.make(), transport: transport)
        let error = await failure { () async throws(KubernetesError) in try await client.get(.pods, namespace: "a", name: "b") }
        #expect(
            error?.description == "401 while reading pods b in namespace a (context test, https://cluster.test): Unauthorized; "
                + "check the credentials of user me in context test")
        #expect(transport.requests.count == 1)
    }

    @Test func aMissingTokenFileSaysSo() async {
        let credentials = Credentials(.tokenFile("/token"), environment: Machine().environment)
        let error = await failure { () async throws(KubernetesError) in try await credentials.current() }
        #expect(error?.description == "the token file: /token does not exist; check that the token is mounted and can be read")
        #expect(error?.code == .credentials)
    }
}

struct ExecPluginTests {
    private static let folder = FileManager.default.temporaryDirectory.appending(
        path: "belay-exec-\(ProcessInfo.processInfo.processIdentifier)")

    /// A plugin as a shell script in a file of its own.
    private func plugin(_ script: String, _ more: String = "", name: String = #function) throws -> ExecPlugin {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        let file = Self.folder.appending(path: String(name.prefix { $0.isLetter }))
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: file, options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file.path)
        let node = try YAMLNode(reading: Array("command: \(file.path)\napiVersion: client.authentication.k8s.io/v1\n\(more)".utf8))
        return try ExecPlugin(
            node, of: Kubeconfig.Entry(name: "me", value: node, file: "/k"), server: "https://cluster.test",
            tls: TLSSettings(certificateAuthorities: Array("CA".utf8)))
    }

    private let environment = Machine(variables: ProcessInfo.processInfo.environment).environment

    private func answer(_ status: String) -> String {
        "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\(status)}}'"
    }

    @Test func callersThatWaitTogetherShareAFailureInsteadOfTryingOneAfterTheOther() async throws {
        let log = Self.folder.appending(path: "shared-runs")
        let gate = Self.folder.appending(path: "shared-gate")
        let plugin = try plugin("echo run >> \(log.path); until [ -e \(gate.path) ]; do sleep 0.01; done; exit 1")
        defer { for file in [log, gate] { try? FileManager.default.removeItem(at: file) } }
        let credentials = Credentials(.exec(plugin), environment: environment)
        await withTaskGroup(of: KubernetesError?.self) { group in
            for _ in 0..<5 {
                group.addTask { await failure { () async throws(KubernetesError) in try await credentials.current() } }
            }
            while await credentials.waiting.count < 4 { await Task.yield() }
            #expect(FileManager.default.createFile(atPath: gate.path, contents: nil))
            for await error in group { #expect(error?.code == .credentials) }
        }
        #expect(try String(contentsOf: log, encoding: .utf8) == "run\n")
        _ = await failure { () async throws(KubernetesError) in try await credentials.current() }
        #expect(try String(contentsOf: log, encoding: .utf8) == "run\nrun\n", "a failure is not remembered")
    }

    @Test func getsItsArgumentsAndTheClusterAndNoShell() async throws {
        let plugin = try plugin(
            #"echo "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"$1/$REGION/$(echo "$KUBERNETES_EXEC_INFO" | tr -d '"')\"}}""#,
            "args: ['a b; $(id)']\nenv: [{name: REGION, value: eu}]\nprovideClusterInfo: true")
        let token = try await plugin.run(environment).0.token
        #expect(
            token
                == "a b; $(id)/eu/{kind:ExecCredential,apiVersion:client.authentication.k8s.io/v1,spec:{interactive:false,cluster:{server:https://cluster.test,certificate-authority-data:Q0E=}}}"
        )
    }

    @Test func aCertificateIsACredentialToo() async throws {
        let credential = try await plugin(answer(#""clientCertificateData":"CERT","clientKeyData":"KEY""#)).run(environment).0
        #expect(credential.clientCertificate == Array("CERT".utf8))
        #expect(credential.clientKey == Array("KEY".utf8))
    }

    @Test func isRunAgainOnlyWhenTheCredentialExpires() async throws {
        let counter = Self.folder.appending(path: "runs").path
        let machine = Machine(variables: ProcessInfo.processInfo.environment)
        let expires = machine.time.withLock { $0 } + .seconds(600)
        let credentials = Credentials(
            .exec(try plugin("echo x >>\(counter)\n" + answer(#""token":"t","expirationTimestamp":"\#(expires)""#))),
            environment: machine.environment)
        // Ten at once: one of them runs it, the others wait for the answer.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await credentials.current() } }
            try await group.waitForAll()
        }
        machine.advance(by: .seconds(589))
        _ = try await credentials.current()
        #expect(try Data(contentsOf: URL(filePath: counter)).count == 2)
        machine.advance(by: .seconds(1))
        _ = try await credentials.current()
        #expect(try Data(contentsOf: URL(filePath: counter)).count == 4)
    }

    @Test func isStoppedWhenItDoesNotEnd() async throws {
        var plugin = try plugin("exec sleep 600")
        plugin.timeout = .milliseconds(200)
        let stuck = plugin
        let error = await failure { () async throws(KubernetesError) in try await stuck.run(environment) }
        #expect(error?.message.hasSuffix("did not end within 0 s") == true)
        #expect(error?.next == "run it by hand to see what it waits for")
    }

    @Test func whatItSaysOnItsErrorOutputIsHandedOn() async throws {
        let plugin = try plugin("echo 'some progress' >&2; echo 'your session has expired' >&2; exit 3")
        let error = await failure { () async throws(KubernetesError) in try await plugin.run(environment) }
        #expect(error?.message.hasSuffix("of user me ended with exited(3): your session has expired") == true)
    }

    @Test(arguments: [
        (#"two\nlines"#, "lines", "one line"),
        (#"\033[31merror\033[0m\a: expired\r\n\n"#, "[31merror[0m: expired", "control characters"),
        (#"token eyJhbGciOiJSUzI1NiIsImtpZCI6 has\texpired"#, "token … has expired", "what may be a token"),
        (#"abcdefghijklmnopqrstuvwx abcdefghijklmnopqrstuvwxy"#, "abcdefghijklmnopqrstuvwx …", "24 characters are a word, 25 are not"),
        (#"eyJhbGci\001OiJSUzI1NiIsImtpZCI6"#, "…", "a control character does not make two words of a token"),
    ])
    func whatItSaysIsShownWithoutWhatMayBeASecret(_ said: String, _ shown: String, _ why: String) async throws {
        let plugin = try plugin("printf '\(said)' >&2; exit 3", name: "shown" + why)
        let error = await failure { () async throws(KubernetesError) in try await plugin.run(environment) }
        #expect(error?.message.hasSuffix("of user me ended with exited(3): \(shown)") == true, "\(why): \(error?.message ?? "")")
    }

    @Test(arguments: [
        ("echo nonsense", "printed something that is not JSON at byte 0: expected"), ("echo '{}'", "printed no ExecCredential"),
        (
            #"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}}'"#,
            "printed no ExecCredential"
        ),
        (
            #"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}}'"#,
            "gave neither token nor certificate"
        ),
    ])
    func anAnswerThatIsNoCredentialIsRefused(_ script: String, _ message: String) async throws {
        let plugin = try plugin(
            script,
            name: "odd"
                + String(
                    script.utf8.count.description.map { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0.wholeNumberValue ?? 0))) }))
        let error = await failure { () async throws(KubernetesError) in try await plugin.run(environment) }
        #expect(error?.code == .credentials)
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    @Test func aProgramThatIsNotThereNamesTheInstallHint() async throws {
        let node = try YAMLNode(
            reading: Array("command: no-such-program-4711\napiVersion: client.authentication.k8s.io/v1\ninstallHint: apt install it".utf8))
        let plugin = try ExecPlugin(node, of: Kubeconfig.Entry(name: "me", value: node, file: "/k"), server: "", tls: TLSSettings())
        let error = await failure { () async throws(KubernetesError) in try await plugin.run(environment) }
        #expect(error?.message.contains("the exec plugin no-such-program-4711 of user me cannot be run") == true)
        #expect(error?.next == "apt install it")
    }
}
