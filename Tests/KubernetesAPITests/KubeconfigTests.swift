import HTTPCore
import JSONValues
import Testing

@testable import KubernetesAPI

struct KubeconfigTests {
    private func load(_ files: [String: String], context: String? = nil, variables: [String: String] = ["HOME": "/home/me"]) async
        -> Result<ClusterConnection, KubernetesError>
    {
        do throws(KubernetesError) {
            return .success(try ClusterConnection.load(context: context, environment: Machine(files, variables: variables).environment))
        } catch { return .failure(error) }
    }

    private static func config(cluster: String = "server: https://a.test:6443", user: String = "token: abc", current: String = "prod")
        -> String
    {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: c
          cluster: {\(cluster)}
        users:
        - name: u
          user: {\(user)}
        contexts:
        - name: prod
          context: {cluster: c, user: u, namespace: shop}
        - name: other
          context: {cluster: c}
        current-context: \(current)
        """
    }

    @Test func theCurrentContextOfTheHomeFolderIsUsed() async throws {
        let connection = try await load(["/home/me/.kube/config": Self.config()]).get()
        #expect(connection.server == "https://a.test:6443")
        #expect(connection.context == "prod")
        #expect(connection.namespace == "shop")
        #expect(connection.place == "context prod, https://a.test:6443")
        guard case .token("abc") = connection.credentials else {
            Issue.record("credentials are \(connection.credentials)")
            return
        }
    }

    @Test func ofSeveralFilesTheFirstEntryOfANameCountsAndMissingOnesArePassedOver() async throws {
        let files = ["/a": Self.config(), "/b": Self.config(cluster: "server: https://b.test", current: "other") + "\n"]
        let variables = ["KUBECONFIG": "/missing:/a:/b"]
        #expect(try await load(files, variables: variables).get().server == "https://a.test:6443")
        let contexts = ["/a": "contexts:\n- {name: x, context: {cluster: c, user: u}}\ncurrent-context: x\n", "/b": Self.config()]
        let merged = try await load(contexts, variables: ["KUBECONFIG": "/a:/b"]).get()
        #expect(merged.context == "x")
        #expect(merged.server == "https://a.test:6443")
    }

    @Test func pathsAreRelativeToTheFileThatTheyStandIn() async throws {
        let text = Self.config(
            cluster: "server: 'https://a.test', certificate-authority: pki/ca.crt",
            user: "client-certificate: me.crt, client-key: /k/me.key")
        let connection = try await load(
            ["/etc/kube/config": text, "/etc/kube/pki/ca.crt": "CA", "/etc/kube/me.crt": "CERT", "/k/me.key": "KEY"],
            variables: ["KUBECONFIG": "/etc/kube/config"]
        ).get()
        #expect(
            connection.tls
                == TLSSettings(
                    certificateAuthorities: Array("CA".utf8), clientCertificate: Array("CERT".utf8), clientKey: Array("KEY".utf8)))
    }

    @Test func dataWinsOverAPathAndJSONIsYAML() async throws {
        let text = """
            {"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:8001/","certificate-authority-data":"Q0E=","certificate-authority":"/nowhere"}}],
             "contexts":[{"name":"x","context":{"cluster":"c"}}],"current-context":"x"}
            """
        let connection = try await load(["/k": text], variables: ["KUBECONFIG": "/k"]).get()
        #expect(connection.server == "http://127.0.0.1:8001")
        #expect(connection.tls.certificateAuthorities == Array("CA".utf8))
        #expect(connection.user == "nobody: context x names no user")
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var why: String
        var text: String
        var context: String?
        var message: String
        var testDescription: String { why }
    }

    static let refusals = [
        Refusal(
            why: "without verification anybody in between reads the token",
            text: config(cluster: "server: 'https://a.test', insecure-skip-tls-verify: true"),
            message: "kubeconfig /k: cluster c has insecure-skip-tls-verify, with which anybody in between could read the credentials; "
                + "replace it by certificate-authority-data"),
        Refusal(
            why: "auth providers were removed from Kubernetes", text: config(user: "auth-provider: {name: gcp}"),
            message: "kubeconfig /k: user u has the auth-provider gcp, which Kubernetes removed in 1.26; "
                + "let the cloud's own tool write the kubeconfig again: it then uses an exec plugin"),
        Refusal(
            why: "passwords were removed from Kubernetes", text: config(user: "username: me, password: s3cret"),
            message: "kubeconfig /k: user u has a user name and a password, which Kubernetes removed in 1.19; use a token or a certificate"),
        Refusal(
            why: "acting as somebody else must not be dropped silently", text: config(user: "token: abc, as: admin"),
            message: "kubeconfig /k: user u has as: impersonation is not supported; make a user or a service account for Belay"),
        Refusal(
            why: "a context that is not there", text: config(), context: "prdo",
            message: "kubeconfig /k: there is no context prdo; there are: other, prod"),
        Refusal(
            why: "no current context", text: config(current: "''"),
            message: "kubeconfig /k: no context is current; run kubectl config use-context, or name a context in the spec"),
        Refusal(
            why: "a server without a scheme", text: config(cluster: "server: 'a.test:6443'"),
            message: "kubeconfig /k: the server of cluster c is a.test:6443; expected a URL that begins with https://"),
        Refusal(
            why: "a certificate without its key", text: config(user: "client-certificate-data: Q0E="),
            message: "kubeconfig /k: user u has only one of client-certificate and client-key; both are needed"),
        Refusal(
            why: "data that is not base64", text: config(cluster: "server: 'https://a.test', certificate-authority-data: '***'"),
            message: "kubeconfig /k: certificate-authority-data of c is not base64"),
        Refusal(
            why: "a file that is not there", text: config(cluster: "server: 'https://a.test', certificate-authority: ca.crt"),
            message: "kubeconfig /k: certificate-authority of c: /ca.crt does not exist"),
        Refusal(
            why: "an old exec plugin", text: config(user: "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}"),
            message: "kubeconfig /k: the exec plugin of user u has the apiVersion client.authentication.k8s.io/v1alpha1; "
                + "use client.authentication.k8s.io/v1: a newer version of the plugin's tool writes it"),
        Refusal(
            why: "a plugin that wants a terminal",
            text: config(user: "exec: {command: login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}"),
            message: "kubeconfig /k: the exec plugin of user u needs a terminal (interactiveMode: Always); "
                + "use credentials that work without a person"),
        Refusal(
            why: "not YAML", text: "clusters: [",
            message: "kubeconfig /k:"),
    ]

    @Test(arguments: refusals)
    func isRefusedWithWhatToDo(_ refusal: Refusal) async {
        let result = await load(["/k": refusal.text], context: refusal.context, variables: ["KUBECONFIG": "/k"])
        guard case .failure(let error) = result else {
            Issue.record("was accepted")
            return
        }
        #expect(error.code == .configuration)
        if refusal.message.hasSuffix(":") {
            #expect(error.description.hasPrefix(refusal.message))
        } else {
            #expect(error.description == refusal.message)
        }
        #expect(!error.description.contains("s3cret"))
    }

    @Test func aPodUsesItsServiceAccount() async throws {
        let folder = ClusterConnection.serviceAccount
        let machine = Machine(
            ["\(folder)/ca.crt": "CA", "\(folder)/token": "one\n", "\(folder)/namespace": "shop"],
            variables: ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"])
        let connection = try ClusterConnection.load(context: nil, environment: machine.environment)
        #expect(connection.server == "https://[fd00::1]:6443")
        #expect(connection.tls.certificateAuthorities == Array("CA".utf8))
        #expect(connection.namespace == "shop")
        #expect(connection.place == "context in-cluster, https://[fd00::1]:6443")
    }

    @Test func withoutAnyClusterTheMessageSaysWhatToSet() async {
        guard case .failure(let error) = await load([:]) else {
            Issue.record("something was found")
            return
        }
        #expect(
            error.description
                == "no cluster to talk to: neither KUBECONFIG nor ~/.kube/config is there, and this is not a pod; set KUBECONFIG to a kubeconfig file"
        )
        guard case .failure(let missing) = await load([:], variables: ["KUBECONFIG": "/nowhere"]) else {
            Issue.record("something was found")
            return
        }
        #expect(missing.description == "KUBECONFIG names /nowhere, which does not exist; check the path")
    }

    @Test(arguments: [
        ("https://me:s3cret@a.test:6443", "https://…@a.test:6443", "a name and a password"),
        ("https://s3cret@a.test", "https://…@a.test", "a name alone"),
        ("https://me:s3/cret@a.test/k8s", "https://…@a.test/k8s", "a password that is no part of a URL"),
        ("https://a.test/k8s", "https://a.test/k8s", "neither"),
    ])
    func anAddressIsShownWithoutItsUser(server: String, shown: String, why: String) async throws {
        let connection = try await load(["/home/me/.kube/config": Self.config(cluster: "server: '\(server)'")]).get()
        #expect(connection.server == server, "\(why)")
        #expect(connection.place == "context prod, \(shown)", "\(why)")
        #expect(connection.address == shown, "\(why)")
        let transport = ScriptedTransport(.json(200, ["kind": "Nonsense"]))
        let client = KubernetesClient(connection, transport: transport)
        let error = await failure { () async throws(KubernetesError) in try await client.list(.pods, namespace: "a", labelSelector: "b") }
        #expect(error.map { !$0.description.contains("s3") } == true, "\(why)")
    }

    @Test func anAddressThatIsRefusedIsShownWithoutItsUser() async {
        guard case .failure(let error) = await load(["/home/me/.kube/config": Self.config(cluster: "server: 'me:s3cret@a.test'")]) else {
            Issue.record("was accepted")
            return
        }
        #expect(error.description.contains("is …@a.test; expected a URL that begins with https://"))
    }

    @Test func nothingThatIsPrintedShowsACredential() async throws {
        let connection = try await load(["/home/me/.kube/config": Self.config(user: "token: very-secret-token")]).get()
        #expect(!"\(connection) \(String(reflecting: connection))".contains("very-secret-token"))
    }
}
