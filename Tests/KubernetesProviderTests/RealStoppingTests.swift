import ControlPlane
import JSONValues
import KubernetesAPI
import KubernetesProvider
import Model
import ProviderKit
import Testing

@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct RealStoppingTests {
    /// With the release pinned, and with the one that was stopped.
    @Test(arguments: [KubernetesResource.deployments, .statefulSets], ["v1", "v2"])
    func whatIsStoppedComesBackInOnePatch(_ resource: KubernetesResource, _ pin: String) async throws {
        let cluster = try await RealCluster("stop\(resource.plural)\(pin)")
        try await cluster.release(resource, "api", ["v1", "v2"])
        let component = cluster.component(.name(pin), cluster.target(resource, "api"))
        let before = try await cluster.settle(component)
        let size = try await cluster.object(resource, "api")["spec"]?["replicas"]?.integer
        guard case .possible(_, let memory, _) = before.stoppage else {
            Issue.record("it is \(String(describing: before.stoppage))")
            return
        }
        let stop = Stop(memory: memory, means: "", target: "", provider: "kubernetes")
        let route = Route(.redeploy, means: "", class: .downtime, token: "", isIdempotent: true)
        let intent = Intent(
            id: "i", resource: component.id, route: route,
            resolution: Resolution(pin: component.release, identity: ArtifactIdentity(.image, ""), label: "", revision: .test),
            providerTime: nil, written: Timestamp(millisecondsSinceEpoch: 0))
        let request = ApplyRequest(component: component.name, intent: intent, revision: .test)
        guard case .accepted = await cluster.provider.stop(component, as: stop, request) else {
            Issue.record("not accepted")
            return
        }
        #expect(await cluster.provider.stop(component, as: stop, request) == .alreadySo)
        let stopped = try await cluster.wait(component) { observation in
            guard case .stopped = observation.stoppage else { return false }
            return observation.live.serving.isEmpty
        }
        #expect(try await cluster.object(resource, "api")["metadata"]?["annotations"]?["belay.dev/stopped"]?.string == memory)
        let start = try #require(stopped.stoppage?.start)
        let declared = try #require(stopped.live.declared)
        var change = ReleaseChange(from: declared, to: declared, resolution: intent.resolution, route: start)
        if pin == "v1" { change = try #require(stopped.change(to: "v1", pin: component.release)) }
        guard case .accepted = await cluster.apply(change, component) else {
            Issue.record("not accepted")
            return
        }
        let after = try await cluster.settle(component)
        #expect(after.live.declared?.label.hasPrefix(pin) == true)
        #expect(!after.live.serving.isEmpty)
        let object = try await cluster.object(resource, "api")
        #expect(object["spec"]?["replicas"]?.integer == size)
        #expect(object["metadata"]?["annotations"]?["belay.dev/stopped"] == nil)
    }
}
