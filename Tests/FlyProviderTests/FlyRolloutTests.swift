import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

@Suite struct FlyRolloutTests {
    private static let five = (1...5).map { "148e21a000000\($0)" }

    @Test func aRollingUpdateBeginsWithOneMachineAndThenTakesSome() async throws {
        var stage = try FlyStage.make(machines: Self.five)
        let parts = try await stage.walk()
        #expect(parts.map { $0.components(of: "instance") } == [1, 2, 2])
        #expect(try await stage.updates == Self.five)
        #expect(try await stage.releases == Array(repeating: "86", count: 5))
        let live = await stage.observe().live
        #expect(live.serving.map(\.label) == ["v86 (deployment-86)"])
    }

    @Test(arguments: [("1", [1, 1, 1, 1, 1]), ("4", [1, 4]), ("100%", [1, 4]), ("10%", [1, 1, 1, 1, 1])])
    func aCountOrAShareSaysHowManyAreTaken(_ maxUnavailable: String, _ expected: [Int]) async throws {
        var stage = try FlyStage.make(machines: Self.five, maxUnavailable: maxUnavailable)
        #expect(try await stage.walk().map { $0.components(of: "instance") } == expected)
    }

    @Test func anImmediateUpdateIsOnePartAndWaitsForNothing() async throws {
        let stage = try FlyStage.make(machines: Self.five, .immediate)
        let (result, change, intent) = try await stage.go()
        guard case .accepted(let facts, _) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(Set(facts.keys) == Set(Self.five))
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .inFlight)
        #expect(!stage.world.transport.received.contains { $0.path.contains("/wait") })
        stage.pass(60)
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
    }

    @Test func aRollingUpdateStaysWithinTheVendorsLimits() async throws {
        var stage = try FlyStage.make(machines: Self.five, api: { $0["rateLimits"] = true })
        #expect(try await stage.walk().count == 3)
        #expect(!stage.world.transport.received.contains { $0.status == 429 })
    }

    @Test func whatIsDeclaredStaysUntilEveryMachineRunsThePin() async throws {
        let stage = try FlyStage.make(machines: [FlyStage.first, FlyStage.second])
        let (_, change, intent) = try await stage.go()
        let half = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(half.fate == .tookEffect)
        #expect(half.live.declared?.label == "v87 (deployment-87)")
        #expect(half.live.serving.count == 2)
        #expect(half.failure == nil)
        let next = try stage.change(half, change.resolution).change.route
        #expect(next.token == change.route.token && next.verb == change.route.verb && next.part != change.route.part)
    }

    @Test func aMachineThatFailsKeepsTheOthersFromBeingUpdated() async throws {
        let stage = try FlyStage.make(machines: [FlyStage.first, FlyStage.second]) { app in
            app["releases"] = [["version": 86, "image": "crashes"], ["version": 87]]
        }
        let (_, change, _) = try await stage.go()
        let route = await stage.observe(resolution: change.resolution).route(to: "v86")
        #expect(route?.refusal?.reason == "CrashLoop")
        #expect(try await stage.updates == [FlyStage.first])
    }

    @Test func aRolloutThatFailedHalfWayIsTakenBackExactly() async throws {
        var stage = try FlyStage.make(machines: [FlyStage.first, FlyStage.second]) { app in
            app["releases"] = [["version": 86, "image": "crashes"], ["version": 87]]
        }
        let before = try #require(try await stage.send(.get, FlyStage.path()).body["config"])
        stage.configuration = .make(["LOG": "debug"])
        _ = try await stage.go()
        #expect(try await stage.machine()["env"]?["LOG"]?.string == "debug")
        stage.configuration = nil
        try await stage.walk(.name("v87"))
        #expect(try await stage.updates == [FlyStage.first, FlyStage.first])
        let after = try #require(try await stage.send(.get, FlyStage.path()).body["config"])
        #expect(after["env"] == before["env"])
        #expect(after["metadata"]?["fly_release_version"]?.string == "87")
        #expect(await stage.observe(.name("v87")).settlement == .settled)
    }

    @Test func aMachineThatCrashedUntilItStoppedIsStartedWithTheNewImage() async throws {
        for strategy in FlyTarget.Strategy.allCases {
            var stage = try FlyStage.make(.name("v86"), strategy) { app in
                app["releases"] = [["version": 86], ["version": 87, "image": "crashes"]]
            }
            stage.pass(120)
            #expect(try await stage.machine()["state"]?.string == "stopped")
            #expect(await stage.observe(.name("v87")).failure?.reason == "Crashed")
            #expect(try await stage.walk().count == 1)
            #expect(try await stage.machine()["state"]?.string == "started")
        }
    }

    @Test func aReleaseThatWasReachedIsNotTakenBackExactly() async throws {
        var stage = try FlyStage.make()
        try await stage.walk()
        try await stage.change { $0["env"]?["LOG"] = "newer" }
        stage.pass(60)
        try await stage.walk(.name("v87"))
        #expect(try await stage.machine()["env"]?["LOG"]?.string == "newer")
    }

    @Test func whatSomebodyChangedSinceItWasSeenIsNotOverwritten() async throws {
        let stage = try FlyStage.make()
        let (change, intent) = try stage.change(await stage.observe())
        try await stage.change { $0["env"]?["LOG"] = "newer" }
        stage.pass(60)
        guard case .refused(let problem) = await stage.apply(change, intent) else {
            Issue.record("not refused")
            return
        }
        #expect(problem.reason == "Conflict" && problem.next != nil)
        #expect(try await stage.machine()["env"]?["LOG"]?.string == "newer")
    }

    @Test func aStaleVersionIsAConflictWhicheverStatusItHas() async throws {
        for status in [409, 412] {
            let stage = try FlyStage.make(api: { $0["staleVersion"] = .integer(status) })
            stage.inject(
                Fault(method: .post, path: "/machines/", .answer(status: status, headers: [:], body: #"{"error":"aborted: no"}"#), skip: 1))
            guard case .refused(let problem) = try await stage.go().result else {
                Issue.record("not refused")
                return
            }
            #expect(problem.reason == "Conflict")
        }
    }

    @Test func aMachineThatIsWedgedIsToldAsStuck() async throws {
        let stage = try FlyStage.make()
        stage.fly.setNextUpdate("worker", .wedged)
        let (result, change, intent) = try await stage.go()
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .inFlight)
        stage.pass(1000)
        guard case .failed(let problem) = await stage.observe(resolution: change.resolution, intent: intent).fate else {
            Issue.record("not failed")
            return
        }
        #expect(problem.reason == "MachineStuck")
    }

    @Test func severalProcessGroupsHaveToBeNamed() async throws {
        let groups: (inout JSON) -> Void = { app in
            app["groups"] = ["web", "worker"]
            app["machines"] = 1
        }
        let unnamed = await (try FlyStage.make(machines: [], change: groups)).observe().live.problem
        #expect(unnamed?.reason == "ProcessGroupAmbiguous" && unnamed?.message.hasSuffix(": web, worker") == true)
        let wrong = await (try FlyStage.make(machines: [], group: "cron", change: groups)).observe().live.problem
        #expect(wrong?.reason == "ProcessGroupMissing" && wrong?.next == "name one that it has: web, worker")
        var stage = try FlyStage.make(machines: [], group: "web", change: groups)
        try await stage.walk()
        #expect(try await stage.updates.count == 1)
        #expect(try await stage.releases == ["86", "87"])
    }

    @Test(arguments: ["/api/v1/", "graphql"]) func theLedgerIsOptional(_ door: String) async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(path: "/api/v1/", .answer(status: 504, headers: [:], body: "<html>"), times: nil))
        if door == "graphql" {
            stage.inject(Fault(path: "graphql", .answer(status: 200, headers: [:], body: #"{"errors":[{}]}"#), times: nil))
        }
        let observation = await stage.observe()
        #expect(observation.live.declared?.names.contains { $0.value == "v87" } == true)
        #expect((observation.candidate("v86") != nil) == (door != "graphql"))
        #expect(observation.notes.contains { $0.hasPrefix("the ledger of releases could not be read") } == (door == "graphql"))
    }

    /// Machines are told digests alone, and a pin that is in place does not read the ledger.
    @Test(arguments: [Pin.name("v86"), .image("deployment-86")]) func theTagIsToldOfWhatBelayPutThere(_ pin: Pin) async throws {
        var stage = try FlyStage.make(pin)
        let resolution = try stage.world.resolution(in: await stage.observe())
        if case .image = pin { stage.inject(Fault(path: "/api/v1/", .dropBefore, times: nil)) }
        if case .image = pin { stage.inject(Fault(path: "graphql", .dropBefore, times: nil)) }
        try await stage.walk()
        let label = await stage.observe(resolution: resolution).live.declared?.label
        #expect(label == (pin == .name("v86") ? "v86 (deployment-86)" : "deployment-86"))
    }

    @Test func everyNameOfAReleaseLeadsToItsImage() async throws {
        let stage = try FlyStage.make()
        let digest = try await stage.digest("deployment-86")
        for name in [
            "v86", "deployment-86", "registry.fly.io/worker:deployment-86", digest, "registry.fly.io/worker@\(digest)",
        ] {
            let observation = await stage.observe(.name(name))
            let found = try #require(observation.candidate(name), "\(name)")
            #expect(found.release.isIdentical(with: ArtifactIdentity(.image, digest)))
            #expect(found.routes.first?.refusal == nil)
        }
    }

    @Test func aHistoryHoldsEveryReleaseWithItsWayOrWhyItIsGone() async throws {
        let stage = try FlyStage.make()
        stage.fly.pruneImage("worker", tag: "deployment-85")
        let candidates = await stage.observe(depth: .history).candidates
        #expect(candidates.map(\.release.label) == ["v87 (deployment-87)", "v86 (deployment-86)", "v85 (deployment-85)"])
        #expect(candidates.map { $0.gone == nil } == [true, true, false])
    }

    @Test func anAppWithoutMachinesHasNothing() async throws {
        let stage = try FlyStage.make(machines: [])
        #expect(await stage.observe().live == .nothing)
    }

    @Test func driftTellsWhoDeployed() async throws {
        let stage = try FlyStage.make()
        #expect(await stage.observe().cause?.hasPrefix("release v87 by ada@example.com, 2026-") == true)
        _ = try await stage.go()
        stage.pass(60)
        #expect(await stage.observe(.name("v87")).cause == "Belay, which updated machine \(FlyStage.first)")
    }
}

extension String {
    fileprivate func components(of word: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: word) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
