import ControlPlane
import CurlTransport
import FoundationEssentials
import JSONValues
import KubernetesAPI
import Model
import TestPrograms
import Testing

/// The manifests and the chart on a real API server: pods become ready there because a script plays the kubelet.
@Suite(
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), .enabled(if: Tool.kubectl.isThere, Tool.kubectl.need),
    .enabled(if: Tool.helm.isThere, Tool.helm.need), .serialized)
struct RealInstallTests {
    let place: Place
    let variables: [String: String?]

    init() async throws {
        place = try Place()
        variables = [
            "KUBECONFIG": try await ControlPlane.shared.running().kubeconfig, "HELM_CACHE_HOME": place.path("cache"),
            "HELM_CONFIG_HOME": place.path("config"), "HELM_DATA_HOME": place.path("data"),
        ]
    }

    private func kubectl(_ arguments: String...) async throws -> String { try await Tool.kubectl.output(arguments, variables: variables) }
    private func helm(_ arguments: String...) async throws -> String { try await Tool.helm.output(arguments, variables: variables) }

    private func mayPatch(_ account: String, in namespace: String) async throws -> Bool {
        try await Tool.kubectl.run(
            ["auth", "can-i", "patch", "deployments.apps", "-n", namespace, "--as=system:serviceaccount:\(account)"], variables: variables
        ).status == 0
    }

    private func waitUntilReady(_ namespace: String, _ deployment: String) async throws {
        _ = try await kubectl("-n", namespace, "rollout", "status", "deployment/\(deployment)", "--timeout=60s")
    }

    @Test func theManifestsAreAppliedTwiceAndTakenAway() async throws {
        let first = try await kubectl("apply", "-k", "manifests")
        #expect(first.contains("deployment.apps/belay created"))
        try await waitUntilReady("belay-system", "belay")
        let again = try await kubectl("apply", "-k", "manifests")
        #expect(again.split(separator: "\n").allSatisfy { $0.hasSuffix(" unchanged") }, "\(again)")
        // A namespace is opened by itself.
        _ = try await kubectl("create", "namespace", "install-prod")
        #expect(try await !mayPatch("belay-system:belay", in: "install-prod"))
        _ = try await kubectl("apply", "-n", "install-prod", "-k", "manifests/target")
        #expect(try await mayPatch("belay-system:belay", in: "install-prod"))
        #expect(try await !mayPatch("belay-system:belay", in: "default"))
        // As docs/install.md takes it away: the definitions, and every System with them, stay.
        _ = try await kubectl("delete", "-n", "install-prod", "-k", "manifests/target")
        _ = try await kubectl("delete", "--wait=false", "-f", "manifests/deployment.yaml", "-f", "manifests/service.yaml")
        _ = try await kubectl("delete", "--wait=false", "-k", "manifests/rbac")
        _ = try await kubectl("delete", "--wait=false", "namespace/belay-system")
        #expect(try await kubectl("get", "crd", "systems.belay.dev", "-o", "name").contains("systems.belay.dev"))
        try place.remove()
    }

    @Test func theChartIsInstalledUpgradedAndUninstalled() async throws {
        // As an administrator who has the definitions from the manifests, and a chart that knew less of a System.
        _ = try await Tool.kubectl.run(["apply", "-k", "manifests/crd"], variables: variables)
        let description = "What the system is and which release of each part runs."
        let former = try formerChart { $0.replacing(description, with: "What it was in the release before.") }
        let notes = try await helm(
            "install", "belay", former, "--namespace", "install-helm", "--create-namespace", "--wait=hookOnly", "--take-ownership",
            "--force-conflicts")
        #expect(try await definition().contains("What it was in the release before."))
        #expect(notes.contains("It may not change any workload yet."))
        try await waitUntilReady("install-helm", "belay")
        #expect(try await !mayPatch("install-helm:belay", in: "default"))
        _ = try await helm("package", "charts/belay", "--destination", place.root)
        let package = try #require(try FileManager.default.contentsOfDirectory(atPath: place.root).first { $0.hasSuffix(".tgz") })
        let upgraded = try await helm(
            "upgrade", "belay", place.path(package), "--namespace", "install-helm", "--wait=hookOnly", "--reuse-values", "--set",
            "replicas=1,targets.namespaces={default}")
        #expect(!upgraded.contains("It may not change any workload yet."))
        #expect(try await definition().contains(description), "an upgrade brings the definition")
        #expect(try await mayPatch("install-helm:belay", in: "default"))
        #expect(try await kubectl("-n", "install-helm", "get", "deployment", "belay", "-o", "jsonpath={.spec.replicas}") == "1")
        // A System of before is there after it: the definition stays.
        let system = try place.write(
            "system.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: kept, namespace: default}
            spec:
              components:
                api: {kubernetes: {namespace: default, deployment: api}, release: v1}
            """)
        _ = try await kubectl("apply", "-f", system)
        let removed = try await helm("uninstall", "belay", "--namespace", "install-helm")
        #expect(removed.contains("[CustomResourceDefinition] systems.belay.dev"))
        #expect(try await kubectl("get", "systems.belay.dev", "-n", "default", "-o", "name") == "system.belay.dev/kept\n")
        #expect(try await !mayPatch("install-helm:belay", in: "default"))
        _ = try await kubectl("delete", "-f", system)
        _ = try await kubectl("delete", "namespace", "install-helm", "--wait=false")
        try place.remove()
    }

    private func definition() async throws -> String { try await kubectl("get", "crd", "systems.belay.dev", "-o", "json") }

    /// A copy of the chart with another definition of kind System.
    private func formerChart(_ change: (String) -> String) throws -> String {
        let folder = place.path("former")
        try FileManager.default.copyItem(atPath: "\(Project.root)/charts/belay", toPath: folder)
        let file = "files/crds/systems.belay.dev.yaml"
        let text = try Project.text("charts/belay/\(file)")
        try #require(change(text) != text)
        try place.write("former/\(file)", change(text))
        return folder
    }
}
