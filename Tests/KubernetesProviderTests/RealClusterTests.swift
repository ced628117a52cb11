import ControlPlane
import CurlTransport
import FoundationEssentials
import HTTPCore
import JSONValues
import KubernetesAPI
import KubernetesProvider
import Model
import ProviderKit
import Subprocess
import Testing

@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct RealClusterTests {
    @Test(arguments: [KubernetesResource.deployments, .statefulSets, .daemonSets])
    func anOlderImageIsUndoneToItsRevision(_ resource: KubernetesResource) async throws {
        let cluster = try await RealCluster("undo\(resource.plural)")
        try await cluster.release(resource, "api", ["v1", "v2"])
        let component = cluster.component(.name("v1"), cluster.target(resource, "api"))
        let before = await cluster.observe(component)
        let declared = resource == .deployments ? "v2 (revision 2)" : "v2"
        #expect(before.live.declared?.label == declared)
        #expect(before.candidates.map(\.release.label) == [declared, "v1 (revision 1)"])
        #expect(before.candidates.map(\.release.note) == ["release v2", "release v1"])
        #expect(before.blocker == nil)
        let change = try #require(before.change(to: "v1", pin: component.release))
        #expect(change.route.means == "rollout undo to revision 1")
        #expect(
            change.route.cautions == [
                "takes the image over from kubectl-client-side-apply", "comes back with revision 1: environment RELEASE",
            ])
        guard case .accepted = await cluster.apply(change, component) else {
            Issue.record("not accepted")
            return
        }
        let after = try await cluster.settle(component)
        #expect(after.live.declared?.matches(change.resolution) == true)
        #expect(after.live.declared?.label == (resource == .deployments ? "v1 (revision 3)" : "v1"))
        // The workload alone says the same; a Deployment's is not asked alone while pods of the release before may be in their grace period.
        let again = await cluster.observe(component, resolution: change.resolution)
        #expect(again.settlement == .settled)
        #expect(again.live.declared?.label == after.live.declared?.label)
        #expect(again.live.declared?.note == (resource == .deployments ? after.live.declared?.note : nil))
        #expect(again.candidates.count == (resource == .deployments ? 2 : 1))
        let container = try await cluster.object(resource, "api")["spec"]?["template"]?["spec"]?["containers"]?[0]
        #expect(container?["env"]?[0]?["value"] == "v1")
        #expect(await cluster.apply(change, component) == .alreadySo)
    }

    private static let hasKubectl = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/kubectl")
    }

    @Test(.enabled(if: hasKubectl, "needs kubectl on the search path"))
    func anUndoLeavesWhatKubectlLeaves() async throws {
        let cluster = try await RealCluster()
        for name in ["ours", "kubectls"] { try await cluster.release(.deployments, name, ["v1", "v2", "v3"]) }
        let component = cluster.component(.name("v1"), cluster.target(.deployments, "ours"))
        let change = try #require(await cluster.observe(component).change(to: "v1", pin: component.release))
        _ = await cluster.apply(change, component)
        #expect(await kubectl(["rollout", "undo", "deployment/kubectls", "--to-revision=1"], cluster) != nil)
        try await cluster.settle(component)
        try await cluster.settle(cluster.component(.name("v1"), cluster.target(.deployments, "kubectls")))
        func comparable(_ name: String) async throws -> JSON {
            var object = try await cluster.object(.deployments, name)
            object["spec"]?["selector"] = nil
            object["spec"]?["template"]?["metadata"]?["labels"] = nil
            return ["spec": object["spec"] ?? [:], "annotations": object["metadata"]?["annotations"] ?? [:]]
        }
        #expect(try await comparable("ours") == comparable("kubectls"))
    }

    /// What it printed; nil when it failed.
    private func kubectl(_ arguments: [String], _ cluster: RealCluster) async -> String? {
        let result = try? await Subprocess.run(
            .name("kubectl"), arguments: Arguments(["--kubeconfig", cluster.running.kubeconfig, "-n", cluster.namespace] + arguments),
            output: .string(limit: 1 << 16), error: .discarded)
        return result?.terminationStatus.isSuccess == true ? result?.standardOutput : nil
    }

    @Test func aTagThatNeverRanIsAppliedAloneAndOwned() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1", "v2"])
        let component = cluster.component(.name("v3"), cluster.target(.deployments, "api"))
        let change = try #require(await cluster.observe(component).change(to: "v3", pin: component.release))
        #expect(change.route.means == "server-side apply of registry.test/api:v3")
        guard case .accepted = await cluster.apply(change, component) else {
            Issue.record("not accepted")
            return
        }
        let after = try await cluster.settle(component)
        #expect(after.live.declared?.label == "v3 (revision 3)")
        let object = try await cluster.object(.deployments, "api")
        #expect(object["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?[0]?["value"] == "v2")
        let own = (object["metadata"]?["managedFields"]?.elements ?? []).first { $0["manager"]?.string == "belay" }
        #expect(own?["operation"] == "Apply")
        // The next write has nothing to take from anybody.
        let next = await cluster.observe(cluster.component(.name("v4"), cluster.target(.deployments, "api")))
        #expect(
            next.change(to: "v4", pin: .name("v4"))?.route.cautions == [
                "nothing here has ever run this image; whether it exists is not known"
            ])
    }

    @Test(arguments: [
        ("broken1", "ImagePullBackOff", "Back-off pulling image \"registry.test/api:broken1\""),
        ("crash1", "CrashLoopBackOff", "last time: exit code 1, the program ended at its start"),
    ])
    func aReleaseThatDoesNotComeUpFailsInTheKubeletsWordsAndIsUndone(_ tag: String, _ reason: String, _ words: String) async throws {
        let cluster = try await RealCluster("fails\(tag)")
        try await cluster.release(.deployments, "api", ["v1", tag])
        let component = cluster.component(.name("v1"), cluster.target(.deployments, "api"))
        let broken = try await cluster.wait(component) { if case .failed = $0.settlement { true } else { false } }
        guard case .failed(let problem) = broken.settlement else { return }
        #expect(problem.reason == reason)
        #expect(problem.message.contains(words), "\(problem)")
        #expect(problem.message.hasPrefix("kubernetes/api: container api of pod api-"))
        #expect(Set(broken.live.serving.map(\.label)) == ["v1 (revision 1)", "\(tag) (revision 2)"])
        let change = try #require(broken.change(to: "v1", pin: component.release))
        _ = await cluster.apply(change, component)
        #expect(try await cluster.settle(component).live.declared?.matches(change.resolution) == true)
    }

    @Test func aRolloutThatTimedOutDoesNotFailTheOneThatHealsIt() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(
            .deployments, "api", ["v1", "crash1"], spec: ["progressDeadlineSeconds": 5, "strategy": ["type": "Recreate"]])
        let component = cluster.component(.name("v1"), cluster.target(.deployments, "api"))
        var timedOut = false
        let deadline = ContinuousClock.now + .seconds(30)
        while !timedOut, ContinuousClock.now < deadline {
            let conditions = try await cluster.object(.deployments, "api")["status"]?["conditions"]?.elements ?? []
            timedOut = conditions.contains { $0["reason"]?.string == "ProgressDeadlineExceeded" }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(timedOut)
        _ = await cluster.apply(try #require(await cluster.observe(component).change(to: "v1", pin: component.release)), component)
        var failures: [Problem] = []
        try await cluster.wait(component) { observation in
            if case .failed(let problem) = observation.settlement { failures.append(problem) }
            return observation.settlement == .settled
        }
        #expect(failures == [])
    }

    @Test func aStatefulSetThatIsStuckOnABrokenPodSaysWhichToDelete() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.statefulSets, "db", ["v1", "broken1"])
        let component = cluster.component(.name("v1"), cluster.target(.statefulSets, "db"))
        let broken = try await cluster.wait(component) { if case .failed = $0.settlement { true } else { false } }
        _ = await cluster.apply(try #require(broken.change(to: "v1", pin: component.release)), component)
        let stuck = try await cluster.wait(component) {
            if case .failed(let problem) = $0.settlement { problem.reason == "BrokenPodInTheWay" } else { false }
        }
        guard case .failed(let problem) = stuck.settlement else { return }
        #expect(problem.next == "kubectl delete pod db-1 -n \(cluster.namespace)")
        try await cluster.client.delete(.pods, namespace: cluster.namespace, name: "db-1")
        try await cluster.settle(component)
    }

    @Test func anotherReconcilersImageIsLeftAloneUntilItMayBeTaken() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(
            .deployments, "api", ["v1", "v2"], by: "argocd-controller", labels: ["argocd.argoproj.io/instance": "shop"])
        let target = cluster.target(.deployments, "api")
        let component = cluster.component(.name("v1"), target)
        let blocked = await cluster.observe(component)
        #expect(
            blocked.blocker?.description
                == "kubernetes/api: the image of container api of deployment api in namespace \(cluster.namespace) belongs to Argo CD "
                + "(field manager argocd-controller, argocd.argoproj.io/instance: shop); "
                + "change the image where Argo CD reads it, or make Argo CD ignore it and set takeOwnership: true")
        let change = try #require(blocked.change(to: "v1", pin: component.release))
        guard case .refused(let problem) = await cluster.apply(change, component) else {
            Issue.record("the write was not refused")
            return
        }
        #expect(problem.reason == "OwnedByAnother")
        let allowed = cluster.component(.name("v1"), target, takeOwnership: true)
        let free = await cluster.observe(allowed)
        #expect(free.blocker == nil)
        let taking = try #require(free.change(to: "v1", pin: component.release))
        #expect(taking.route.cautions.first == "takes the image over from argocd-controller")
        guard case .accepted = await cluster.apply(taking, allowed) else {
            Issue.record("not accepted")
            return
        }
        try await cluster.settle(allowed)
    }

    @Test func aWriteThatWasPlannedForAnotherTemplateIsRefused() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1", "v2"])
        let component = cluster.component(.name("v1"), cluster.target(.deployments, "api"))
        let change = try #require(await cluster.observe(component).change(to: "v1", pin: component.release))
        // An autoscaler may do what it does; another release may not come in between.
        _ = try await cluster.client.patch(.deployments, namespace: cluster.namespace, name: "api", .merge(["spec": ["replicas": 3]]))
        try await cluster.release(.deployments, "other", ["v1"])
        try await cluster.settle(component)
        let image: JSON = ["spec": ["template": ["spec": ["containers": [["name": "api", "image": "registry.test/api:v3"]]]]]]
        _ = try await cluster.client.patch(.deployments, namespace: cluster.namespace, name: "api", .strategicMerge(image))
        guard case .refused(let problem) = await cluster.apply(change, component) else {
            Issue.record("the write was not refused")
            return
        }
        #expect(problem.reason == "ChangedSincePlanned")
    }

    @Test func everyPatchWithAnOldVersionIsAConflict() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1"])
        let old: JSON = ["resourceVersion": "1"]
        let named: JSON = ["name": "api", "resourceVersion": "1"]
        let patches: [KubernetesPatch] = [
            .json([
                ["op": "replace", "path": "/metadata/resourceVersion", "value": "1"],
                ["op": "replace", "path": "/spec/replicas", "value": 1],
            ]),
            .merge(["metadata": old, "spec": ["replicas": 1]]), .strategicMerge(["metadata": old, "spec": ["replicas": 1]]),
            .apply(["apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": ["replicas": 1]], force: true),
        ]
        for patch in patches {
            await #expect {
                _ = try await cluster.client.patch(.deployments, namespace: cluster.namespace, name: "api", patch)
            } throws: { error in
                (error as? KubernetesError)?.code == .conflict
            }
        }
        let image: JSON = ["template": ["spec": ["containers": [["name": "api", "image": "registry.test/api:v9"]]]]]
        await #expect {
            _ = try await cluster.client.patch(
                .deployments, namespace: cluster.namespace, name: "api",
                .apply(["apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "api"], "spec": image], force: false))
        } throws: { error in
            (error as? KubernetesError)?.fieldConflicts == [
                .init(manager: "kubectl-client-side-apply", field: ".spec.template.spec.containers[name=\"api\"].image")
            ]
        }
    }

    @Test func aPausedRolloutIsReportedAndNotUndone() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1", "v2"])
        _ = try await cluster.client.patch(.deployments, namespace: cluster.namespace, name: "api", .merge(["spec": ["paused": true]]))
        let component = cluster.component(.name("v1"), cluster.target(.deployments, "api"))
        let observation = await cluster.observe(component)
        #expect(observation.blocker?.reason == "RolloutPaused")
        #expect(observation.blocker?.next == "kubectl rollout resume deployment/api -n \(cluster.namespace)")
        guard case .refused = await cluster.apply(try #require(observation.change(to: "v1", pin: .name("v1"))), component) else {
            Issue.record("the write was not refused")
            return
        }
    }

    @Test func aListOfManyPagesAndAWatchAgree() async throws {
        let cluster = try await RealCluster()
        let start = try await cluster.client.list(.deployments, namespace: cluster.namespace)
        for name in ["a", "b", "c"] { try await cluster.release(.deployments, name, ["v1"], replicas: 0) }
        let names = try await cluster.client.list(.deployments, namespace: cluster.namespace, pageSize: 1).items.compactMap {
            $0["metadata"]?["name"]?.string
        }
        #expect(names == ["a", "b", "c"])
        var added: [String] = []
        for try await event in try await cluster.client.watch(.deployments, namespace: cluster.namespace, from: start.resourceVersion) {
            if case .added(let object) = event { added.append(object["metadata"]?["name"]?.string ?? "") }
            if added.count == 3 { break }
        }
        #expect(added == names)
    }
}
