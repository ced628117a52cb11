import ControlPlane
import CurlTransport
import KubernetesAPI
import Model
import Testing

@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct RealCredentialsTests {
    @Test(arguments: ["token", "tokenFile", "certificate files", "exec plugin"])
    func everyKindOfCredentialIsTaken(_ kind: String) async throws {
        let running = try await ControlPlane.shared.running()
        let name = kind.filter(\.isLetter)
        let plugin = try TemporaryFile.write(
            """
            #!/bin/sh
            echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "\(running.token)"}}'
            """, named: "plugin", isProgram: true)
        let user: String =
            switch kind {
            case "token": "token: \(running.token)"
            case "tokenFile": "tokenFile: \(try TemporaryFile.write(running.token, named: "token"))"
            case "exec plugin": "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: \(plugin)}"
            default: "client-certificate: \(running.clientCertificateFile), client-key: \(running.clientKeyFile)"
            }
        let kubeconfig = try TemporaryFile.write(
            """
            clusters: [{name: c, cluster: {server: "\(running.server)", certificate-authority: \(running.certificateAuthorityFile)}}]
            users: [{name: u, user: {\(user)}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """, named: "kubeconfig-\(name)")
        let environment = ClusterEnvironment(variables: ["KUBECONFIG": kubeconfig], now: { Timestamp(millisecondsSinceEpoch: 0) })
        let client = KubernetesClient(try ClusterConnection.load(context: nil, environment: environment), transport: CurlTransport())
        #expect(try await client.list(.namespaces, limit: 1).items.count == 1)
    }

    @Test func aWrongTokenAndAnUnknownAuthoritySayWhatToCheck() async throws {
        let running = try await ControlPlane.shared.running()
        for (authority, expected) in [
            ("certificate-authority: \(running.certificateAuthorityFile)", KubernetesError.Code.unauthorized), ("", .transport),
        ] {
            let kubeconfig = try TemporaryFile.write(
                """
                clusters: [{name: c, cluster: {server: "\(running.server)", \(authority)}}]
                users: [{name: u, user: {token: wrong-token}}]
                contexts: [{name: x, context: {cluster: c, user: u}}]
                current-context: x
                """, named: "kubeconfig-\(expected.rawValue)")
            let environment = ClusterEnvironment(variables: ["KUBECONFIG": kubeconfig], now: { Timestamp(millisecondsSinceEpoch: 0) })
            let client = KubernetesClient(try ClusterConnection.load(context: nil, environment: environment), transport: CurlTransport())
            await #expect {
                _ = try await client.list(.namespaces)
            } throws: { error in
                let error = error as? KubernetesError
                return error?.code == expected && error?.message.contains("context x, \(running.server)") == true && error?.next != nil
            }
        }
    }
}
