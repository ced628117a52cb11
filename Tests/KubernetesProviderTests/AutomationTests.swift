import HTTPCore
import JSONValues
import Model
import Simulators
import Testing

@testable import KubernetesProvider

/// What sets the image by itself, and who set the one that is declared.
struct AutomationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var manager: String
        var more: JSON = [:]
        var summary: String?
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "Argo CD writes what it owns again", manager: "argocd-controller",
            summary: "Argo CD sets what it owns again (field manager argocd-controller)"),
        Case(
            why: "Flux too", manager: "kustomize-controller", summary: "Flux sets what it owns again (field manager kustomize-controller)"),
        Case(
            why: "any operator does", manager: "shop-operator",
            summary: "shop-operator sets what it owns again (field manager shop-operator)"),
        Case(
            why: "a mark of a reconciler counts, whoever wrote last", manager: "kubectl-edit",
            more: ["labels": ["argocd.argoproj.io/instance": "shop"]],
            summary: "Argo CD sets what it owns again (argocd.argoproj.io/instance: shop)"),
        Case(why: "kubectl does nothing by itself", manager: "kubectl-client-side-apply"),
        Case(why: "nor does Helm", manager: "helm"),
    ]

    @Test(arguments: cases, [false, true])
    func onlyReconcilersAreAutomations(_ item: Case, _ takeOwnership: Bool) async throws {
        let cluster = try Cluster([Cluster.workload(managedBy: item.manager, item.more)])
        let observation = await cluster.observe(cluster.component(.name("v1.42.0"), takeOwnership: takeOwnership))
        #expect(observation.automation?.summary == item.summary)
        #expect(observation.automation.map(\.isOn) ?? true)
        #expect(observation.automation?.off == nil)
        #expect((observation.blocker != nil) == (item.summary != nil && !takeOwnership))
    }

    @Test func theCauseIsWhoWroteTheImageLastAndTheReasonGiven() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let before = await cluster.observe(cluster.component(.name("v1.41.3")))
        #expect(before.cause?.hasPrefix("kubectl-client-side-apply at 20") == true)
        #expect(before.cause?.hasSuffix("Z: release v1.42.0") == true)
        let image: JSON = ["spec": ["template": ["spec": ["containers": [["name": "api", "image": "registry.test/api:v9"]]]]]]
        await cluster.send(
            .patch, "/apis/apps/v1/namespaces/prod/deployments/backend?fieldManager=kubectl-set", image,
            type: "application/strategic-merge-patch+json")
        cluster.clock.advance(by: .seconds(60))
        // The reason that was given for the release before is not this one's.
        let after = await cluster.observe(cluster.component(.name("v1.42.0")))
        #expect(after.cause?.hasPrefix("kubectl-set at 20") == true)
        #expect(after.cause?.hasSuffix("Z") == true)
    }
}
