import ControlPlane
import CurlTransport
import FoundationEssentials
import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import TestPrograms

/// The real API server with Belay's roles, an account that has all of them, and one for each verb that lacks it.
struct RoleWorld {
    /// Where the accounts are: the namespace of Belay's pods.
    static let pods = ControlPlane.auditedNamespace
    /// Where a scope's role is bound; a role that is not here is bound in the whole cluster.
    static let places = [
        "own": pods, "targets": "roles-work", "configuration": "roles-work", "flags": "roles-flags", "references": "roles-specs",
    ]
    /// Where specs and the Secrets are that they name.
    static let specs = "roles-specs"

    let client: KubernetesClient
    let running: ControlPlane.Running
    let place: Place
    let grants: [Grant]

    init() async throws {
        running = try await ControlPlane.shared.running()
        place = try Place()
        grants = try Grant.all().sorted()
        let environment = ClusterEnvironment(
            variables: ["KUBECONFIG": running.kubeconfig],
            now: { Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000)) })
        client = KubernetesClient(try ClusterConnection.load(context: "kt", environment: environment), transport: CurlTransport())
        for namespace in Set(Self.places.values).union([Self.specs]).sorted() {
            _ = try await client.create(.namespaces, Self.object("v1", "Namespace", namespace, [:]))
        }
        try await Tool.kubectl.output(["apply", "-k", "manifests/crd"], variables: ["KUBECONFIG": running.kubeconfig])
        for scope in Set(grants.map(\.scope)).sorted() { try await make(role: "full-\(scope)", grants.filter { $0.scope == scope }) }
        let accounts = [("full", nil)] + grants.enumerated().map { ("without-\($0)", Optional($1)) }
        try await withThrowingTaskGroup(of: Void.self) { [self] group in
            for (name, grant) in accounts {
                group.addTask {
                    try await makeAccount(name, without: grant)
                    for scope in Set(grants.map(\.scope)).sorted() { try await waitUntilGranted(to: name, without: grant, in: scope) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// The kubeconfig of the account that has everything but one verb.
    func account(without grant: Grant) throws -> String {
        guard let index = grants.firstIndex(of: grant) else { throw ControlPlane.Failure(description: "\(grant) is not granted") }
        return place.path("without-\(index).kubeconfig")
    }

    /// The kubeconfig of the account that has everything.
    var account: String { place.path("full.kubeconfig") }

    // MARK: - Accounts

    private static let api = "rbac.authorization.k8s.io"

    static func object(_ version: String, _ kind: String, _ name: String, _ more: JSON) -> JSON {
        var object: JSON = ["apiVersion": .string(version), "kind": .string(kind), "metadata": ["name": .string(name)]]
        for (key, value) in more.object?.members ?? [] { object[key] = value }
        return object
    }

    private static func resource(_ group: String, _ plural: String, _ kind: String, isNamespaced: Bool = true) -> KubernetesResource {
        KubernetesResource(group: group, plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    private func make(role: String, _ grants: [Grant]) async throws {
        let rules = grants.map { grant -> JSON in
            ["apiGroups": [.string(grant.group)], "resources": [.string(grant.resource)], "verbs": [.string(grant.verb)]]
        }
        _ = try await client.create(
            Self.resource(Self.api, "clusterroles", "ClusterRole", isNamespaced: false),
            Self.object("\(Self.api)/v1", "ClusterRole", role, ["rules": .array(rules)]))
    }

    private func makeAccount(_ name: String, without grant: Grant?) async throws {
        let accounts = Self.resource("", "serviceaccounts", "ServiceAccount")
        _ = try await client.create(accounts, namespace: Self.pods, Self.object("v1", "ServiceAccount", name, [:]))
        if let grant {
            let rest = grants.filter { $0.scope == grant.scope && $0 != grant }
            try await make(role: "\(name)-\(grant.scope)", rest)
        }
        for scope in Set(grants.map(\.scope)).sorted() {
            let role = scope == grant?.scope ? "\(name)-\(scope)" : "full-\(scope)"
            let subject: JSON = ["kind": "ServiceAccount", "name": .string(name), "namespace": .string(Self.pods)]
            let roleRef: JSON = ["apiGroup": .string(Self.api), "kind": "ClusterRole", "name": .string(role)]
            let namespace = Self.places[scope]
            let kind = namespace == nil ? "ClusterRoleBinding" : "RoleBinding"
            _ = try await client.create(
                Self.resource(Self.api, kind.lowercased() + "s", kind, isNamespaced: namespace != nil), namespace: namespace,
                Self.object("\(Self.api)/v1", kind, "\(name)-\(scope)", ["roleRef": roleRef, "subjects": [subject]]))
        }
        let token = try await client.create(
            Self.resource("", "serviceaccounts/\(name)/token", "TokenRequest"), namespace: Self.pods,
            ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": [:]])
        let config: JSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "belay",
            "clusters": [
                [
                    "name": "real",
                    "cluster": ["server": .string(running.server), "certificate-authority": .string(running.certificateAuthorityFile)],
                ]
            ],
            "users": [["name": "belay", "user": ["token": token.body["status"]?["token"] ?? ""]]],
            "contexts": [["name": "belay", "context": ["cluster": "real", "user": "belay", "namespace": .string(Self.specs)]]],
        ]
        try place.write("\(name).kubeconfig", config.description)
    }

    /// The server learns of roles and bindings by watching them, a moment after they were made.
    private func waitUntilGranted(to account: String, without grant: Grant?, in scope: String) async throws {
        guard let other = grants.first(where: { $0.scope == scope && $0 != grant }) else { return }
        let parts = other.resource.split(separator: "/", maxSplits: 1).map { JSON.string(String($0)) }
        var attributes: JSON = ["verb": .string(other.verb), "group": .string(other.group), "resource": parts[0]]
        attributes["subresource"] = parts.count > 1 ? parts[1] : nil
        attributes["namespace"] = .string(Self.places[scope] ?? Self.specs)
        let review = Self.object(
            "authorization.k8s.io/v1", "SubjectAccessReview", "",
            ["spec": ["user": .string("system:serviceaccount:\(Self.pods):\(account)"), "resourceAttributes": attributes]])
        let resource = Self.resource("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", isNamespaced: false)
        let deadline = ContinuousClock.now + .seconds(20)
        while try await client.create(resource, review).body["status"]?["allowed"]?.bool != true {
            guard ContinuousClock.now < deadline else {
                throw ControlPlane.Failure(description: "\(account) is not granted \(other) after 20 s")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: - What was used

    /// What the account with everything asked for and was given, by the API server's own record.
    func used() throws -> Set<Grant> {
        var used: Set<Grant> = []
        for event in try events("full") {
            guard event["annotations"]?["authorization.k8s.io/decision"]?.string == "allow", let verb = event["verb"]?.string,
                let reference = event["objectRef"], let resource = reference["resource"]?.string
            else { continue }
            let group = reference["apiGroup"]?.string.map { ".\($0)" } ?? ""
            let subresource = reference["subresource"]?.string.map { "/\($0)" } ?? ""
            let namespace = reference["namespace"]?.string
            for (scope, place) in Self.places where place == namespace {
                used.insert(Grant(scope, verb, resource + group + subresource))
            }
            for scope in ["systems", "mirrors"] { used.insert(Grant(scope, verb, resource + group + subresource)) }
        }
        return used
    }

    /// What the account with everything asked for and was refused.
    func refused() throws -> [String] {
        try refusals("full").map { "\($0["verb"]?.string ?? "") \($0["requestURI"]?.string ?? "")" }
    }

    /// True if the account without it asked for it.
    func refused(to grant: Grant) throws -> Bool {
        guard let index = grants.firstIndex(of: grant) else { return false }
        return try refusals("without-\(index)").contains { event in
            let parts = grant.resource.split(separator: "/").map(String.init)
            let reference = event["objectRef"]
            return event["verb"]?.string == grant.verb && reference?["resource"]?.string == parts[0]
                && reference?["subresource"]?.string == (parts.count > 1 ? parts[1] : nil)
                && (reference?["apiGroup"]?.string ?? "") == grant.group
        }
    }

    private func refusals(_ account: String) throws -> [JSON] {
        try events(account).filter { $0["responseStatus"]?["code"] == 403 }
    }

    /// What one account asked for. The record is long: only lines with the account's name are parsed.
    private func events(_ account: String) throws -> [JSON] {
        let name = "system:serviceaccount:\(Self.pods):\(account)"
        return try String(contentsOf: URL(filePath: running.auditLog), encoding: .utf8).split(separator: "\n")
            .filter { $0.contains("\"\(name)\"") }
            .map { try JSON(parsing: Array($0.utf8)) }
            .filter { $0["user"]?["username"]?.string == name }
    }
}
