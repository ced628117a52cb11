import HTTPCore
import JSONValues
import Model
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

struct ObservationTests {
    // MARK: - What cannot be read

    struct Unreadable: Sendable, CustomTestStringConvertible {
        var why: String
        var target = Cluster.target
        var world: JSON = [:]
        var containers: JSON = [["name": "api"]]
        var message: String
        var testDescription: String { why }
    }

    static let unreadable = [
        Unreadable(
            why: "a misspelt name: the right one is among those that are there",
            target: KubernetesTarget(namespace: "prod", .deployment("bakend")),
            message:
                "kubernetes/api: there is no deployment bakend in namespace prod (context test, https://cluster.test:6443); name one of these: backend"
        ),
        Unreadable(
            why: "another kind is another workload", target: KubernetesTarget(namespace: "prod", .statefulSet("backend")),
            message: "kubernetes/api: there is no statefulset backend in namespace prod (context test, https://cluster.test:6443); "
                + "check the names in the spec, and that context test is the right cluster"),
        Unreadable(
            why: "a namespace that is not there", target: KubernetesTarget(namespace: "prdo", .deployment("backend")),
            message: "kubernetes/api: there is no namespace prdo (context test, https://cluster.test:6443); "
                + "check the names in the spec, and that context test is the right cluster"),
        Unreadable(
            why: "several containers and none named", containers: [["name": "api"], ["name": "proxy", "image": "envoy:1"]],
            message:
                "kubernetes/api: deployment backend in namespace prod has several containers: api, proxy; name the one to pin: container: api"
        ),
        Unreadable(
            why: "a container that is not there", target: KubernetesTarget(namespace: "prod", .deployment("backend"), container: "app"),
            message: "kubernetes/api: deployment backend in namespace prod has no container app; name one of these: api"),
        Unreadable(
            why: "a context that is not there", target: KubernetesTarget(namespace: "prod", .deployment("backend"), context: "staging"),
            message: "there is no context staging; there are: test"),
        Unreadable(
            why: "no permission to read", world: ["forbidden": [["verb": "get", "resource": "deployments"]]],
            message: "grant user belay the verb get on deployments.apps in namespace prod"),
        Unreadable(
            why: "no permission to read the history", world: ["forbidden": [["verb": "list", "resource": "replicasets"]]],
            message: "grant user belay the verb list on replicasets.apps in namespace prod"),
    ]

    @Test(arguments: unreadable)
    func whatCannotBeReadIsUnknownWithWhatToDo(_ item: Unreadable) async throws {
        let cluster = try Cluster([Cluster.workload(["containers": item.containers])], item.world)
        let observation = await cluster.observe(cluster.component(.name("v1.41.3"), target: item.target))
        let problem = try #require(observation.live.problem)
        #expect(problem.description.hasSuffix(item.message), "\(problem)")
        #expect(observation.settlement == .unknown(problem))
    }

    @Test func aContainerMayBeNamedAmongSeveral() async throws {
        let containers: JSON = [["name": "api"], ["name": "proxy", "image": "envoy:v3"]]
        let cluster = try Cluster([Cluster.workload(["containers": containers])])
        let proxy = KubernetesTarget(namespace: "prod", .deployment("backend"), container: "proxy")
        let observation = await cluster.observe(cluster.component(.name("v3"), target: proxy))
        #expect(observation.live.declared?.names.contains { $0.value == "envoy:v3" } == true)
    }

    @Test func withoutPermissionForPodsTheWorkloadsStatusDecidesAndANoteSaysSo() async throws {
        let cluster = try Cluster([Cluster.workload()], ["forbidden": [["verb": "list", "resource": "pods"]]])
        let observation = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(observation.settlement == .settled)
        #expect(observation.live.serving.map(\.label) == ["v1.42.0 (revision 3)"])
        #expect(
            observation.notes == [
                "pods may not be listed, health is known from the workload's status only; "
                    + "grant user belay the verb list on pods in namespace prod"
            ])
    }

    // MARK: - A rollout

    @Test func aRolloutIsProgressingUntilEveryPodIsNewAndReady() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name("v1.41.3"))
        _ = await cluster.apply(try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release)), component)
        var seen: [Settlement] = []
        var serving: Set<[String]> = []
        for _ in 0..<40 {
            let observation = await cluster.observe(component)
            if seen.last != observation.settlement { seen.append(observation.settlement) }
            serving.insert(observation.live.serving.map(\.label).sorted())
            cluster.clock.advance(by: .milliseconds(500))
        }
        #expect(seen.first == .progressing("the controller has not seen the change yet"))
        #expect(seen.last == .settled)
        #expect(seen.contains(.progressing("1 of 3 replicas updated")))
        #expect(serving.contains(["v1.41.3 (revision 4)", "v1.42.0 (revision 3)"]))
    }

    @Test(arguments: ["Deployment", "StatefulSet", "DaemonSet"])
    func everyKindGoesBackAndForward(_ kind: String) async throws {
        let cluster = try Cluster([Cluster.workload(kind: kind)])
        let workload: Workload =
            kind == "Deployment" ? .deployment("backend") : kind == "StatefulSet" ? .statefulSet("backend") : .daemonSet("backend")
        for tag in ["v1.41.2", "v1.42.0", "v2.0.0", "v1.41.3"] {
            let component = cluster.component(.name(tag), target: KubernetesTarget(namespace: "prod", workload))
            let change = try #require(await cluster.observe(component).change(to: tag, pin: component.release))
            #expect(change.route.verb == (tag == "v2.0.0" ? .redeploy : .undo))
            guard case .accepted = await cluster.apply(change, component) else {
                Issue.record("\(tag) was not accepted")
                return
            }
            #expect(await cluster.apply(change, component) == .alreadySo)
            cluster.clock.advance(by: .seconds(60))
            let after = await cluster.observe(component)
            #expect(after.settlement == .settled)
            #expect(after.live.declared?.matches(change.resolution) == true)
            #expect(after.live.serving == [try #require(after.live.declared)])
        }
    }

    @Test(arguments: [
        ("brokenImages", "ImagePullBackOff", "Back-off pulling image \"registry.test/api:v1.42.0\"", "check that the image exists"),
        ("crashingImages", "CrashLoopBackOff", "last time: exit code 1, the program ended at its start", "look at kubectl logs backend-"),
    ])
    func aBrokenReleaseFailsAtOnceAndAnOlderPinHealsIt(_ list: String, _ reason: String, _ words: String, _ next: String) async throws {
        for kind in ["Deployment", "DaemonSet"] {
            let cluster = try Cluster([Cluster.workload(kind: kind)], .object(JSONObject([(list, ["v1.42.0"])])))
            let workload: Workload = kind == "Deployment" ? .deployment("backend") : .daemonSet("backend")
            let component = cluster.component(.name("v1.41.3"), target: KubernetesTarget(namespace: "prod", workload))
            let observation = await cluster.observe(component)
            guard case .failed(let problem) = observation.settlement else {
                Issue.record("\(kind): the settlement is \(observation.settlement)")
                continue
            }
            #expect(problem.reason == reason)
            #expect(problem.message.contains(words))
            #expect(problem.next?.hasPrefix(next) == true)
            _ = await cluster.apply(try #require(observation.change(to: "v1.41.3", pin: component.release)), component)
            cluster.clock.advance(by: .seconds(60))
            #expect(await cluster.observe(component).settlement == .settled)
        }
    }

    @Test func nothingIsServedByAWorkloadOfNoReplicas() async throws {
        let cluster = try Cluster([Cluster.workload(replicas: 0)])
        let observation = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(observation.settlement == .settled)
        #expect(observation.live.serving.isEmpty)
        #expect(observation.live.declared?.label == "v1.42.0 (revision 3)")
    }

    @Test func theProvidersTimeIsTheServers() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let observation = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(observation.providerTime == Timestamp(millisecondsSinceEpoch: cluster.clock.milliseconds))
    }

    // MARK: - Ownership

    @Test(arguments: [
        ("argocd-controller", "Argo CD", "field manager argocd-controller"),
        ("kustomize-controller", "Flux", "field manager kustomize-controller"),
        ("helm-controller", "Flux", "field manager helm-controller"), ("shop-operator", "shop-operator", "field manager shop-operator"),
    ])
    func aReconcilersImageIsBlockedByName(_ manager: String, _ product: String, _ evidence: String) async throws {
        let cluster = try Cluster([Cluster.workload(managedBy: manager)])
        let observation = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(
            observation.blocker?.message
                == "kubernetes/api: the image of container api of deployment backend in namespace prod belongs to \(product) (\(evidence))")
        #expect(await cluster.observe(cluster.component(.name("v1.41.3"), takeOwnership: true)).blocker == nil)
    }

    @Test(arguments: [
        ("argocd.argoproj.io/instance", "Argo CD"), ("kustomize.toolkit.fluxcd.io/name", "Flux"), ("helm.toolkit.fluxcd.io/name", "Flux"),
    ])
    func aReconcilersLabelBlocksWhoeverWroteLast(_ label: String, _ product: String) async throws {
        let cluster = try Cluster([Cluster.workload(["labels": .object(JSONObject([(label, "shop")]))])])
        let observation = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(observation.blocker?.message.hasSuffix("belongs to \(product) (\(label): shop)") == true)
    }

    @Test(arguments: ["kubectl-client-side-apply", "kubectl-set", "helm", "Terraform"])
    func aPlainClientsImageIsTakenOverAndThePlanSaysSo(_ manager: String) async throws {
        let cluster = try Cluster([Cluster.workload(managedBy: manager)])
        let component = cluster.component(.name("v3"))
        let observation = await cluster.observe(component)
        #expect(observation.blocker == nil)
        let change = try #require(observation.change(to: "v3", pin: component.release))
        #expect(
            change.route.cautions == [
                "takes the image over from \(manager)", "nothing here has ever run this image; whether it exists is not known",
            ])
        _ = await cluster.apply(change, component)
        cluster.clock.advance(by: .seconds(60))
        #expect(
            await cluster.observe(cluster.component(.name("v4"))).change(to: "v4", pin: .name("v4"))?.route.cautions == [
                "nothing here has ever run this image; whether it exists is not known"
            ])
    }

    @Test func aPausedRolloutBlocksAndIsNotWrittenTo() async throws {
        let cluster = try Cluster([Cluster.workload(["paused": true])])
        let component = cluster.component(.name("v1.41.3"))
        let observation = await cluster.observe(component)
        #expect(
            observation.blocker?.description
                == "kubernetes/api: the rollout of deployment backend in namespace prod is paused, nothing will be rolled out; "
                + "kubectl rollout resume deployment/backend -n prod")
        guard case .refused = await cluster.apply(try #require(observation.change(to: "v1.41.3", pin: component.release)), component) else {
            Issue.record("it was not refused")
            return
        }
        #expect(await cluster.effects() == 0)
    }
}
