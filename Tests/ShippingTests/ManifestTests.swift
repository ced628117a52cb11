import FoundationEssentials
import TestPrograms
import Testing
import YAMLReading

/// What `kubectl apply -k` and `helm install` would send.
@Suite(.enabled(if: Tool.kubectl.isThere, Tool.kubectl.need), .enabled(if: Tool.helm.isThere, Tool.helm.need))
struct ManifestTests {
    /// The documents of a stream, by kind and name.
    private func objects(_ text: String) throws -> [String: YAMLNode] {
        var objects: [String: YAMLNode] = [:]
        for document in text.split(separator: "\n---\n").map({ $0.hasPrefix("---\n") ? $0.dropFirst(4) : $0 }) {
            let node = try YAMLNode(reading: Array(document.utf8))
            guard let kind = node["kind"]?.string, let name = node["metadata"]?["name"]?.string else { continue }
            let key = "\(kind) \(name)"
            #expect(objects[key] == nil, "\(key) is there twice")
            objects[key] = node
        }
        return objects
    }

    private static let chart = ["template", "belay", "charts/belay", "--namespace", "belay-system"]

    @Test func thePackageOfEachFolderIsComplete() throws {
        // What lies there and nobody applies is worth nothing.
        for folder in [
            "manifests/crd", "manifests/rbac", "manifests/target", "manifests/components/all-namespaces", "manifests/components/mirror",
        ] {
            let listed = try Project.yaml("\(folder)/kustomization.yaml")["resources"]?.items.compactMap(\.string) ?? []
            let present = Set(try Project.names(in: folder))
            #expect(Set(listed) == present.subtracting(["kustomization.yaml"]), "\(folder)")
        }
        let listed = try Project.yaml("manifests/kustomization.yaml")["resources"]?.items.compactMap(\.string) ?? []
        let others = ["kustomization.yaml", "components", "samples", "target"]
        let present = Set(try Project.names(in: "manifests"))
        #expect(Set(listed) == present.subtracting(others))
    }

    /// Both ways to install are the same installation.
    @Test func theChartInstallsWhatTheManifestsDo() async throws {
        let manifests = try objects(try await Tool.kubectl.output(["kustomize", "manifests"]))
        let chart = try objects(try await Tool.helm.output(Self.chart))
        #expect(Set(manifests.keys).subtracting(["Namespace belay-system"]) == Set(chart.keys))
        for (key, object) in manifests where key != "Namespace belay-system" {
            let other = try #require(chart[key], "\(key)")
            for part in ["apiVersion", "spec", "rules", "roleRef", "subjects"] {
                #expect(object[part].map(plain) == other[part].map(plain), "\(key), \(part)")
            }
            #expect(object["metadata"]?["namespace"]?.string == other["metadata"]?["namespace"]?.string, "\(key)")
        }
    }

    /// Without what a chart adds by custom, and without what the API server puts there itself.
    private func plain(_ node: YAMLNode) -> String {
        if let entries = node.mapping?.entries {
            let own = entries.filter { $0.key != "app.kubernetes.io/instance" && $0.key != "imagePullPolicy" }
            return "{" + own.map { "\($0.key): \(plain($0.value))" }.sorted().joined(separator: ", ") + "}"
        }
        return node.sequence.map { "[" + $0.map(plain).joined(separator: ", ") + "]" } ?? "\(node.value)"
    }

    /// What shows the systems of a repository is allowed to where it is asked for, and nowhere else.
    @Test(arguments: [(["--set", "git.url=u"], true), (["--set", "git.url=u,git.mirror=false"], false), ([], false)])
    func systemsOfARepositoryAreShown(_ values: [String], _ areShown: Bool) async throws {
        let chart = try objects(try await Tool.helm.output(Self.chart + values))
        let arguments = chart["Deployment belay"]?["spec"]?["template"]?["spec"]?["containers"]?[0]?["args"]?.items.compactMap(\.string)
        #expect(arguments?.contains("--mirror=belay") == areShown, "\(arguments as [String]?)")
        let binding = chart["ClusterRoleBinding belay-mirrors"]
        #expect((binding != nil) == areShown)
        let component = try objects(try Project.text("manifests/components/mirror/clusterrolebinding.yaml"))[
            "ClusterRoleBinding belay-mirrors"]
        if areShown {
            for part in ["roleRef", "subjects"] { #expect(binding?[part].map(plain) == component?[part].map(plain)) }
        }
    }

    /// The bindings of `manifests/target` and of the component are those that the values of the chart make.
    @Test(arguments: [
        ("manifests/target", ["--set", "targets.namespaces={prod}"], "RoleBinding"),
        ("manifests/components/all-namespaces", ["--set", "targets.allNamespaces=true"], "ClusterRoleBinding"),
    ])
    func theChartGrantsWhatTheManifestsDo(_ folder: String, _ values: [String], _ kind: String) async throws {
        let chart = try objects(try await Tool.helm.output(Self.chart + values))
        let file = kind == "RoleBinding" ? "rolebindings.yaml" : "clusterrolebindings.yaml"
        let bindings = try objects(try Project.text("\(folder)/\(file)"))
        #expect(bindings.count == 4)
        for (key, binding) in bindings {
            let other = try #require(chart[key], "\(key)")
            #expect(binding["roleRef"].map(plain) == other["roleRef"].map(plain))
            #expect(binding["subjects"].map(plain) == other["subjects"].map(plain))
            #expect(other["metadata"]?["namespace"]?.string == (kind == "RoleBinding" ? "prod" : nil))
        }
    }

    @Test(.enabled(if: Tool.kubernetesValidate.isThere, Tool.kubernetesValidate.need))
    func everyObjectIsValidInEveryReleaseOfKubernetes() async throws {
        let place = try Place()
        var files: [String] = []
        func render(_ name: String, _ text: String) throws { files.append(try place.write("\(name).yaml", text)) }
        try render("base", try await Tool.kubectl.output(["kustomize", "manifests"]))
        try render("own", try await Tool.kubectl.output(["kustomize", "docs/examples/kustomize"]))
        try render("target", try await Tool.kubectl.output(["kustomize", "manifests/target"]))
        try render("chart", try await Tool.helm.output(Self.chart))
        try render(
            "everything",
            try await Tool.helm.output(
                Self.chart + [
                    "--set",
                    "targets.namespaces={prod},targets.sharedNamespaces={infra},watch.namespaces={prod,test},podDisruptionBudget.enabled=true",
                    "--set", "networkPolicy.ingressFrom[0].namespaceSelector.matchLabels.name=ingress,coordination=shard,adopt=true",
                    "--set", "persistence.existingClaim=backups,imagePullSecrets[0].name=pull,priorityClassName=high",
                    "--set", "podLabels.team=a,podAnnotations.note=b,tolerations[0].operator=Exists,logFormat=json,resync=1m,concurrency=2",
                ]))
        try render(
            "git",
            try await Tool.helm.output(
                Self.chart + [
                    "--set", "git.url=git@git.example:specs,git.sshSecret=key,git.ref=main,git.paths={a,b},targets.allNamespaces=true",
                    "--set", "git.verifySignatures.configMap=signers,grace=20s,providerConcurrency=4",
                    "--set", "extraVolumes[0].name=v,extraVolumes[0].emptyDir.medium=Memory,extraVolumeMounts[0].name=v",
                    "--set", "extraVolumeMounts[0].mountPath=/v,env[0].name=A,env[0].value=b",
                    "--set", "image.digest=sha256:\(String(repeating: "a", count: 64))",
                    "--set", "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution=null,serviceAccount.annotations.a=b",
                ]))
        // The one of the environment that the validator is in comes first.
        let ended = try await Tool(name: "python").run(["Tests/Support/validate-manifests.py"] + files)
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(ended.output.contains(" 0 wrong"))
        try place.remove()
    }

    /// The rules of the Pod Security Standard `restricted`, which the namespace enforces.
    @Test func thePodsAreAllowedInARestrictedNamespace() async throws {
        let manifests = try objects(try await Tool.kubectl.output(["kustomize", "manifests"]))
        #expect(
            manifests["Namespace belay-system"]?["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"]?.string == "restricted")
        let pod = try #require(manifests["Deployment belay"]?["spec"]?["template"]?["spec"])
        #expect(pod["securityContext"]?["runAsNonRoot"]?.bool == true)
        #expect(pod["securityContext"]?["seccompProfile"]?["type"]?.string == "RuntimeDefault")
        #expect(pod["hostNetwork"] == nil && pod["hostPID"] == nil && pod["hostIPC"] == nil)
        let containers = try #require(pod["containers"]?.items)
        for container in containers {
            #expect(container["securityContext"]?["allowPrivilegeEscalation"]?.bool == false)
            #expect(container["securityContext"]?["readOnlyRootFilesystem"]?.bool == true)
            #expect(container["securityContext"]?["capabilities"]?["drop"]?.items.compactMap(\.string) == ["ALL"])
        }
        // The user is the image's.
        #expect(try Project.text("Dockerfile").contains("USER \(pod["securityContext"]?["runAsUser"]?.int ?? 0):"))
    }
}
