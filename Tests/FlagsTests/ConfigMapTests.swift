import Flags
import HTTPCore
import JSONValues
import Model
import ProviderKit
import Simulators
import Testing

/// A flag definition in a ConfigMap.
@Suite struct ConfigMapTests {
    private static func problem(_ result: ApplyResult) -> Problem? {
        switch result {
        case .refused(let problem), .throttled(let problem), .unknown(let problem): problem
        case .accepted, .alreadySo: nil
        }
    }

    @Test func otherKeysStayAndTheReasonIsLeftThere() async throws {
        let cluster = try Stage.configMapStage()
        await cluster.stage.set("known", to: .off)
        let map = await cluster.simulator.world["objects"]?.elements.first { $0["kind"] == "ConfigMap" }
        #expect(map?["data"]?["else"] == "kept")
        #expect(map?["metadata"]?["annotations"]?["belay.dev/flags-changed-for"] == "a test")
    }

    @Test(
        arguments: [
            (["namespace": "prod", "name": "others"], "ConfigMapMissing", "no such ConfigMap"),
            (["namespace": "prod", "name": "flags", "data": ["other.json": "{}"]], "KeyMissing", "no such key"),
            (["namespace": "prod", "name": "flags", "data": ["flags.json": "hello"]], "FlagsNotUnderstood", "no definition"),
        ] as [(JSON, String, Comment)])
    func whatIsMissingIsNotMade(_ map: JSON, _ reason: String, _ why: Comment) async throws {
        let cluster = try Stage.configMapStage(map)
        let before = await cluster.simulator.world
        #expect(await cluster.stage.observe("known").problem?.reason == reason, why)
        #expect(Self.problem(await cluster.stage.set("known", to: .off))?.reason == reason, why)
        #expect(await cluster.simulator.world == before, why)
    }

    @Test func aMissingConfigMapSaysHowToMakeIt() async throws {
        let stage = try Stage.configMapStage(["namespace": "prod", "name": "others"]).stage
        #expect(
            await stage.observe("known").problem?.next
                == "correct the names in the spec, or make it: kubectl create configmap flags -n prod --from-literal=flags.json='{\"flags\": {}}'"
        )
    }

    @Test func anImmutableOneIsRefusedBeforeTheServerDoes() async throws {
        let cluster = try Stage.configMapStage(
            ["namespace": "prod", "name": "flags", "data": ["flags.json": .string(Stage.definition)], "immutable": true])
        #expect(Self.problem(await cluster.stage.set("known", to: .off))?.reason == "Immutable")
    }

    @Test func aWriteBetweenReadingAndWritingIsNotOverwritten() async throws {
        let cluster = try Stage.configMapStage()
        let change = await cluster.stage.change("known", to: .off)
        // The server's own answer to a version that is not the newest any more.
        cluster.transport.faults.add(
            Fault(
                method: .patch,
                .answer(
                    status: 409, headers: ["Content-Type": "application/json"],
                    body: #"{"kind":"Status","status":"Failure","reason":"Conflict","message":"the object has been modified","code":409}"#))
        )
        let result = await cluster.stage.apply([change])
        #expect(Self.problem(result)?.reason == "FlagChanged")
        let patch = cluster.transport.received.last { $0.method == .patch }
        #expect(try patch.map { try JSON(parsing: $0.body) }?["metadata"]?["resourceVersion"]?.string != nil)
    }

    @Test func aLostAnswerIsAnUnknownOutcome() async throws {
        let cluster = try Stage.configMapStage()
        let change = await cluster.stage.change("known", to: .off)
        cluster.transport.faults.add(Fault(method: .patch, .dropAfter))
        guard case .unknown = await cluster.stage.apply([change]) else {
            Issue.record("not unknown")
            return
        }
        #expect(await cluster.stage.apply([change]) == .alreadySo)
    }

    @Test func aServerThatIsBusyIsWaitedFor() async throws {
        let cluster = try Stage.configMapStage()
        let change = await cluster.stage.change("known", to: .off)
        cluster.transport.faults.add(Fault(method: .patch, .answer(status: 429, headers: ["Retry-After": "7"], body: "")))
        guard case .throttled(let problem) = await cluster.stage.apply([change]) else {
            Issue.record("not throttled")
            return
        }
        #expect(problem.retryAfter == .seconds(7))
    }

    @Test func aMissingRightIsNamedAndNoTokenIsShown() async throws {
        let cluster = try Stage.configMapStage(
            ["namespace": "prod", "name": "flags", "data": ["flags.json": .string(Stage.definition)]],
            ConfigMapFlagTarget(namespace: "prod", name: "flags"), ["forbidden": [["verb": "patch", "resource": "configmaps"]]])
        let problem = Self.problem(await cluster.stage.set("known", to: .off))
        #expect(problem?.reason == "Forbidden")
        #expect(problem?.next?.contains("the verb patch on configmaps in namespace prod") == true)
        #expect(problem?.description.contains(Stage.token) == false)
    }
}
