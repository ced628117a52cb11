import HTTPCore
import JSONValues
import Model
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

/// What stands in the way of a component's environment, and what interrupts the way to it.
struct EnvironmentFailureTests {
    // MARK: - References of the past

    struct Reference: Sendable, CustomTestStringConvertible {
        var why: String
        var entry: JSON
        var world: JSON = [:]
        /// What the refusal says is gone; nil when nothing is refused.
        var gone: String?
        var caution: String?
        var testDescription: String { why }
    }

    static let references = [
        Reference(
            why: "a ConfigMap that was removed", entry: ["configMapKeyRef": ["name": "settings-1", "key": "HOST"]],
            gone: "ConfigMap settings-1"
        ),
        Reference(why: "a Secret that was removed", entry: ["secretKeyRef": ["name": "db", "key": "HOST"]], gone: "Secret db"),
        Reference(
            why: "a key that was removed", entry: ["secretKeyRef": ["name": "db", "key": "HOST"]],
            world: ["secrets": [["namespace": "prod", "name": "db", "stringData": ["OTHER": "x"]]]], gone: "the key HOST of Secret db"),
        Reference(
            why: "one that is there", entry: ["configMapKeyRef": ["name": "settings-1", "key": "HOST"]],
            world: ["configMaps": [["namespace": "prod", "name": "settings-1", "data": ["HOST": "x"]]]]),
        Reference(
            why: "an optional one is nothing that a pod hangs without",
            entry: ["configMapKeyRef": ["name": "settings-1", "key": "HOST", "optional": true]]),
        Reference(
            why: "one that may not be read", entry: ["secretKeyRef": ["name": "db", "key": "HOST"]],
            world: ["forbidden": [["verb": "get", "resource": "secrets"]]],
            caution: "whether Secret db still exists is not known; grant user belay the verb get on secrets in namespace prod"),
    ]

    @Test(arguments: references, [nil, DesiredConfiguration.make(["LOG_LEVEL": "debug"])])
    func aReferenceThatNoLongerLeadsAnywhereBlocksTheUndo(_ item: Reference, _ desired: DesiredConfiguration?) async throws {
        let history: JSON = [
            ["image": "registry.test/api:v1", "env": ["HOST": item.entry], "container": "api"],
            ["image": "registry.test/api:v2", "env": ["HOST": "db.test"], "container": "api"],
        ]
        let cluster = try Cluster([Cluster.workload(["history": history])], item.world)
        var walk = EnvironmentTests.walk(cluster, desired, pin: .name("v1"))
        let change = try #require(try walk.change(await walk.observe()))
        let text =
            item.gone.map {
                "kubernetes/api: the pod template of that revision needs \($0), and it does not exist any more in namespace prod: "
                    + "its pods would hang; make it again, or pin the image instead of the revision"
            }
        #expect(change.route.refusal?.description == text)
        #expect(change.route.refusal?.reason == (item.gone == nil ? nil : "ReferenceGone"))
        #expect(item.caution.map { change.route.cautions.contains($0) } ?? true)
        #expect(cluster.transport.received.allSatisfy { $0.method == .get })
    }

    @Test func aKeyThatTheSpecNamesNeedsNoOldObject() async throws {
        let history: JSON = [
            [
                "image": "registry.test/api:v1", "env": ["HOST": ["configMapKeyRef": ["name": "gone", "key": "HOST"]]], "container": "api",
            ],
            ["image": "registry.test/api:v2", "env": ["HOST": "db.test"], "container": "api"],
        ]
        let cluster = try Cluster([Cluster.workload(["history": history])])
        var walk = EnvironmentTests.walk(cluster, .make(["HOST": "other.test"]), pin: .name("v1"))
        #expect(try await walk.go().last == "-")
    }

    @Test func aPodThatLacksAKeyFailsInTheKubeletsWords() async throws {
        let history: JSON = [
            ["image": "registry.test/api:v1"],
            ["image": "registry.test/api:v2", "env": ["DSN": ["secretKeyRef": ["name": "db", "key": "DSN"]]], "container": "api"],
        ]
        let cluster = try Cluster([Cluster.workload(["history": history])])
        cluster.clock.advance(by: .seconds(120))
        let observation = await cluster.observe(cluster.component(.name("v2")))
        guard case .failed(let problem) = observation.settlement else {
            Issue.record("it is \(observation.settlement)")
            return
        }
        #expect(problem.reason == "CreateContainerConfigError")
        #expect(
            problem.message.hasSuffix(
                "does not start, and the progress deadline has passed: CreateContainerConfigError: secret \"db\" not found")
                || problem.message.hasSuffix("does not start: CreateContainerConfigError: secret \"db\" not found"))
    }

    // MARK: - Belay's own objects

    @Test func anObjectThatSomebodyRemovedIsMadeAgainWithoutARollout() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"], secrets: ["B": "2"]))
        let parts = try await walk.go()
        let name = try #require(parts.first.flatMap { ConfigurationObject($0) }?.name)
        await cluster.send(.delete, "/api/v1/namespaces/prod/configmaps/\(name)")
        let observation = await walk.observe()
        #expect(observation.configuration?.differences == [.init("A", .missing)])
        #expect(observation.configuration?.route?.means == "make what the environment refers to again")
        #expect(try await walk.go() == [parts[0]])
        #expect(await EnvironmentTests.revisions(cluster) == 4)
    }

    @Test func anotherObjectOfThatNameIsNotTakenForOurs() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"]))
        let object = try #require(try walk.change(await walk.observe())?.route.part.flatMap { ConfigurationObject($0) })
        await cluster.send(
            .post, "/api/v1/namespaces/prod/configmaps",
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(object.name)], "data": ["A": "2"]])
        let observation = await walk.observe()
        #expect(
            observation.configuration?.route?.refusal?.description
                == "kubernetes/api: ConfigMap \(object.name) in namespace prod is there, and is not what Belay put there; "
                + "kubectl delete configmap \(object.name) -n prod")
    }

    @Test func anObjectThatLostItsLabelIsNotTakenForOurs() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"]))
        let name = try #require(try await walk.go().first.flatMap { ConfigurationObject($0) }?.name)
        await cluster.send(
            .patch, "/api/v1/namespaces/prod/configmaps/\(name)?fieldManager=kubectl-label",
            ["metadata": ["labels": ["app.kubernetes.io/managed-by": nil]]], type: "application/merge-patch+json")
        let observation = await walk.observe()
        #expect(observation.configuration?.differences == [.init("A", .unverified)])
        #expect(observation.configuration?.route?.refusal?.reason == "NameTaken")
    }

    @Test func objectsGoWhenNoRevisionThatIsKeptNamesThem() async throws {
        let cluster = try Cluster([Cluster.workload(["revisionHistoryLimit": 1])])
        var walk = EnvironmentTests.walk(cluster, nil)
        var names: [String] = []
        for value in ["1", "2", "3", "4"] {
            walk.configuration = .make(["A": value])
            let parts = try await walk.go()
            names.append(try #require(parts.first.flatMap { ConfigurationObject($0) }?.name))
            cluster.clock.advance(by: .seconds(120))
        }
        // The fourth was made when the second and the third were in revisions, and the first was in none any more.
        #expect(Set(await EnvironmentTests.objects(cluster)) == Set(names.dropFirst()))
        for name in names.dropFirst(2) { #expect(await cluster.object("ConfigMap", name) != nil) }
    }

    @Test(arguments: ["list", "delete"])
    func whatMayNotBeCleanedUpIsLeftAndDisturbsNothing(_ verb: String) async throws {
        let cluster = try Cluster(
            [Cluster.workload(["revisionHistoryLimit": 0])], ["forbidden": [["verb": .string(verb), "resource": "configmaps"]]])
        var walk = EnvironmentTests.walk(cluster, nil)
        for value in ["1", "2", "3"] {
            walk.configuration = .make(["A": value])
            #expect(try await walk.go().count == 2)
            cluster.clock.advance(by: .seconds(120))
        }
        #expect(await EnvironmentTests.objects(cluster).count == 3)
    }

    @Test func whatMayNotBeReadIsAProblemWithTheVerb() async throws {
        let cluster = try Cluster([Cluster.workload()], ["forbidden": [["verb": "get", "resource": "secrets"]]])
        let walk = EnvironmentTests.walk(cluster, .make(secrets: ["DSN": "hunter2"]))
        let problem = await walk.observe().configuration?.problem
        #expect(problem?.reason == "Forbidden")
        #expect(problem?.next == "grant user belay the verb get on secrets in namespace prod")
    }

    // MARK: - Lost answers

    struct Loss: Sendable, CustomTestStringConvertible {
        var why: String
        var fault: Fault
        /// The part that it hits; nil for the one write to the workload.
        var part: String?
        var fate: IntentFate
        var testDescription: String { why }
    }

    static let losses = [
        Loss(
            why: "the ConfigMap was never made", fault: Fault(method: .post, path: "/configmaps", .dropBefore), part: "configMap",
            fate: .void),
        Loss(
            why: "the ConfigMap was made", fault: Fault(method: .post, path: "/configmaps", .dropAfter), part: "configMap",
            fate: .tookEffect),
        Loss(why: "the Secret was made", fault: Fault(method: .post, path: "/secrets", .dropAfter), part: "secret", fate: .tookEffect),
        Loss(why: "the Secret was never made", fault: Fault(method: .post, path: "/secrets", .dropBefore), part: "secret", fate: .void),
        Loss(why: "the rollout was never begun", fault: Fault(method: .patch, .dropBefore), part: nil, fate: .void),
        Loss(why: "the rollout was begun", fault: Fault(method: .patch, .dropAfter), part: nil, fate: .tookEffect),
    ]

    @Test(arguments: losses, ["v1.42.0", "v1.41.3", "v3.0.0"])
    func aLostAnswerIsFoundAndTheWayGoesOn(_ item: Loss, _ pin: String) async throws {
        let cluster = try Cluster([Cluster.workload()])
        let desired = DesiredConfiguration.make(["A": "1"], secrets: ["DSN": "hunter2"])
        var walk = EnvironmentTests.walk(cluster, desired, pin: .name(pin))
        while true {
            let change = try #require(try walk.change(await walk.observe()))
            let isHit = change.route.part?.prefix { $0 != "/" } == item.part?[...]
            if isHit { cluster.transport.faults.add(item.fault) }
            let answer = await walk.apply(change)
            guard isHit else { continue }
            guard case .unknown(let problem) = answer else {
                Issue.record("it gave \(answer)")
                return
            }
            #expect(!"\(problem)".contains("hunter2"))
            #expect(await walk.observe(walk.intent(change)).fate == item.fate)
            // Sent again by somebody who has forgotten everything, it has no second effect.
            switch await walk.apply(change) {
            case .accepted, .alreadySo: break
            case let answer: Issue.record("again it gave \(answer)")
            }
            break
        }
        try await walk.go()
        #expect(await EnvironmentTests.revisions(cluster) == 4)
        #expect(await walk.observe().configuration?.differences == [])
        let effects = await cluster.effects()
        #expect(effects == 3)
    }

    @Test func anAnswerThatRepeatsASecretIsNotRepeated() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(secrets: ["DSN": "hunter2"]))
        let change = try #require(try walk.change(await walk.observe()))
        cluster.transport.faults.add(
            Fault(
                method: .post,
                .answer(
                    status: 422, headers: [:],
                    body: #"{"kind":"Status","reason":"Invalid","message":"data: Invalid value: \"hunter2\" or aHVudGVyMg=="}"#)))
        guard case .refused(let problem) = await walk.apply(change) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.message.hasSuffix("data: Invalid value: \"(value)\" or (value)"))
    }

    @Test func aConfigurationThatIsAnotherOneThanPlannedIsRefused() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"]))
        let change = try #require(try walk.change(await walk.observe()))
        walk.configuration = .make(["A": "2"])
        guard case .refused(let problem) = await walk.apply(change) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.reason == "ConfigurationChanged")
        #expect(await cluster.effects() == 0)
    }

    @Test func aRolloutWithoutItsObjectIsRefused() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"]))
        var change = try #require(try walk.change(await walk.observe()))
        change.route.part = nil
        guard case .refused(let problem) = await walk.apply(change) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.reason == "ChangedSincePlanned")
        #expect(await cluster.effects() == 0)
    }

    // MARK: - Other owners

    @Test func variablesOfAnotherReconcilerBlockUntilTheyAreTakenOver() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let env: JSON = ["spec": ["template": ["spec": ["containers": [["name": "api", "env": [["name": "A", "value": "0"]]]]]]]]
        await cluster.send(
            .patch, "/apis/apps/v1/namespaces/prod/deployments/backend?fieldManager=argocd-controller", env,
            type: "application/strategic-merge-patch+json")
        cluster.clock.advance(by: .seconds(60))
        var walk = EnvironmentTests.walk(cluster, .make(["A": "1"]))
        let before = await walk.observe()
        #expect(before.blocker == nil)
        #expect(
            before.configuration?.route?.refusal?.description
                == "kubernetes/api: A in the environment of container api of deployment backend in namespace prod belongs to Argo CD "
                + "(field manager argocd-controller); change it where Argo CD reads it, or make Argo CD ignore it and set takeOwnership: true"
        )
        walk.component.takeOwnership = true
        let parts = try await walk.go()
        #expect(parts.last == "-")
    }
}

extension Cluster {
    /// What somebody else does.
    func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil, type: String = "application/json") async {
        _ = await simulator.answer(
            HTTPRequest(
                method, Self.server + path, headers: ["Authorization": "Bearer \(Self.token)", "Content-Type": type],
                body: body?.bytes ?? []))
    }
}
