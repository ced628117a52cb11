import HTTPCore
import JSONValues
import Model
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

/// Every way in which a patch can end, and what the next pass makes of it: exactly one effect.
struct WriteTests {
    enum Result: String, Sendable {
        case refused, throttled, unknown

        init?(_ result: ApplyResult) {
            switch result {
            case .refused: self = .refused
            case .throttled: self = .throttled
            case .unknown: self = .unknown
            case .accepted, .alreadySo: return nil
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var fault: Fault.Kind
        var result: Result
        /// What the next observation says of the write.
        var fate: IntentFate = .void
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "dropped before it took effect", fault: .dropBefore, result: .unknown),
        Case(why: "dropped after it took effect", fault: .dropAfter, result: .unknown, fate: .tookEffect),
        Case(
            why: "changed in between", fault: .answer(status: 409, headers: [:], body: #"{"kind":"Status","reason":"Conflict"}"#),
            result: .refused),
        Case(why: "not valid", fault: .answer(status: 422, headers: [:], body: #"{"kind":"Status","reason":"Invalid"}"#), result: .refused),
        Case(why: "not permitted", fault: .answer(status: 403, headers: [:], body: #"{"kind":"Status"}"#), result: .refused),
        Case(why: "too many", fault: .answer(status: 429, headers: ["Retry-After": "4"], body: "{}"), result: .throttled),
        Case(why: "the server failed", fault: .answer(status: 500, headers: [:], body: #"{"kind":"Status"}"#), result: .unknown),
        Case(why: "a proxy's page", fault: .answer(status: 503, headers: [:], body: "<html>Service Unavailable</html>"), result: .unknown),
        Case(
            why: "a proxy's page for a write that took effect", fault: .replaceAnswer(status: 504, headers: [:], body: "<html>"),
            result: .unknown,
            fate: .tookEffect),
        Case(why: "the answer broke off", fault: .truncate, result: .unknown, fate: .tookEffect),
        Case(
            why: "half of JSON", fault: .replaceAnswer(status: 200, headers: [:], body: #"{"kind":"Deploy"#), result: .unknown,
            fate: .tookEffect),
        Case(
            why: "an object that is another one", fault: .replaceAnswer(status: 200, headers: [:], body: "{}"), result: .unknown,
            fate: .tookEffect),
        Case(why: "not an object", fault: .replaceAnswer(status: 200, headers: [:], body: "[1]"), result: .unknown, fate: .tookEffect),
    ]

    @Test(arguments: cases, ["v1.41.3", "v3.0.0"])
    func aWriteHasOneEffectHoweverItIsAnswered(_ item: Case, _ tag: String) async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name(tag))
        let change = try #require(await cluster.observe(component).change(to: tag, pin: component.release))
        cluster.transport.faults.add(Fault(method: .patch, item.fault))
        let result = await cluster.apply(change, component)
        #expect(Result(result) == item.result, "\(result)")
        let patches = cluster.transport.received.count { $0.method == .patch }
        #expect(patches == 1)
        let next = await cluster.observe(component, resolution: change.resolution, intent: cluster.intent(change, component))
        #expect(next.fate == item.fate)
        let again = await cluster.apply(change, component)
        if item.fate == .tookEffect {
            #expect(again == .alreadySo)
        } else {
            guard case .accepted = again else {
                Issue.record("the second write gave \(again)")
                return
            }
        }
        cluster.clock.advance(by: .seconds(60))
        let settled = await cluster.observe(component, resolution: change.resolution)
        #expect(settled.live.declared?.matches(change.resolution) == true)
        #expect(settled.settlement == .settled)
        #expect(await cluster.effects() == 1)
    }

    @Test func aPlanForAnotherTemplateIsRefused() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name("v1.41.3"))
        let late = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
        let other = cluster.component(.name("v9"))
        _ = await cluster.apply(try #require(await cluster.observe(other).change(to: "v9", pin: other.release)), other)
        guard case .refused(let problem) = await cluster.apply(late, component) else {
            Issue.record("it was not refused")
            return
        }
        #expect(
            problem.description == "kubernetes/api: deployment backend in namespace prod changed since it was planned: "
                + "its pod template is another one; run again: the next pass plans anew")
        #expect(await cluster.effects() == 1)
    }

    @Test func anAutoscalersChangeIsNoReasonToRefuse() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name("v1.41.3"))
        let change = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
        _ = await cluster.simulator.answer(
            HTTPRequest(
                .patch, "\(Cluster.server)/apis/apps/v1/namespaces/prod/deployments/backend",
                headers: ["Authorization": "Bearer \(Cluster.token)", "Content-Type": "application/merge-patch+json"],
                body: (["spec": ["replicas": 5]] as JSON).bytes))
        guard case .accepted = await cluster.apply(change, component) else {
            Issue.record("it was not accepted")
            return
        }
        #expect(await cluster.object("Deployment", "backend")?["spec"]?["replicas"] == 5)
    }

    @Test func anUndoTakesTheTemplateAndTheChangeCauseAndLeavesOtherAnnotations() async throws {
        let cluster = try Cluster([Cluster.workload(["annotations": ["team": "shop"]])])
        let component = cluster.component(.name("v1.41.2"))
        _ = await cluster.apply(try #require(await cluster.observe(component).change(to: "v1.41.2", pin: component.release)), component)
        let object = try #require(await cluster.object("Deployment", "backend"))
        let container = object["spec"]?["template"]?["spec"]?["containers"]?[0]
        #expect(container?["image"] == "registry.test/api:v1.41.2")
        #expect(container?["env"] == [["name": "RELEASE", "value": "v1.41.2"]])
        #expect(object["spec"]?["template"]?["metadata"]?["labels"] == ["app": "backend"])
        #expect(object["metadata"]?["annotations"]?["kubernetes.io/change-cause"] == "release v1.41.2")
        #expect(object["metadata"]?["annotations"]?["team"] == "shop")
    }

    @Test func anApplyChangesTheImageAlone() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let before = try #require(await cluster.object("Deployment", "backend"))
        let component = cluster.component(.name("v3"))
        _ = await cluster.apply(try #require(await cluster.observe(component).change(to: "v3", pin: component.release)), component)
        let after = try #require(await cluster.object("Deployment", "backend"))
        var expected = before["spec"]
        let container = before["spec"]?["template"]?["spec"]?["containers"]?[0]?.replacing("image", "registry.test/api:v3") ?? [:]
        expected?["template"]?["spec"]?["containers"] = [container]
        #expect(after["spec"] == expected)
        let patch = cluster.transport.received.first { $0.method == .patch }
        #expect(patch?.path.hasSuffix("?fieldManager=belay&force=true") == true)
    }

    @Test func aRevisionThatWasCleanedUpInBetweenIsRefused() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name("v1.41.3"))
        let change = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
        cluster.transport.faults.add(
            Fault(method: .get, path: "/replicasets/", .answer(status: 404, headers: [:], body: #"{"kind":"Status","reason":"NotFound"}"#)))
        guard case .refused(let problem) = await cluster.apply(change, component) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.reason == "RevisionGone")
    }

    @Test func aRouteOfAnotherVersionIsRefused() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.name("v1.41.3"))
        var change = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
        change.route.token = "{}"
        guard case .refused(let problem) = await cluster.apply(change, component) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.reason == "RouteInvalid")
        #expect(cluster.transport.received.allSatisfy { $0.method == .get })
    }
}

extension JSON {
    fileprivate func replacing(_ key: String, _ value: JSON) -> JSON {
        var copy = self
        copy[key] = value
        return copy
    }
}
