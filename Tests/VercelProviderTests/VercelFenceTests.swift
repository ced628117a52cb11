import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// Automatic assignment of domains: Vercel's own automation, and the fence against it.
@Suite struct VercelFenceTests {
    @Test func theAutomationIsToldWithWhoSetIt() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        #expect(
            await stage.observe().automation
                == Automation(
                    name: "autoAssignCustomDomains", summary: "gives the production domains to every new production build", isOn: true,
                    value: "true", off: "false", setBy: nil))
        stage.vercel.setAutoAssign("podcast-web", false)
        let off = await stage.observe().automation
        #expect(off?.isOn == false)
        #expect(off?.value == "false")
        #expect(off?.setBy == "user_sim")
    }

    @Test func aFenceGoesUpAndComesDownAgain() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        #expect(await stage.turn(.raise, from: "true", to: "false") == .accepted(["autoAssignCustomDomains": "false"]))
        let up = await stage.observe()
        #expect(up.automation?.isOn == false)
        #expect(up.automation?.setBy == "Belay")
        #expect(
            up.notes == [
                "automatic assignment of domains is off, by a fence of Belay's: pushes are built and not served",
                "a newer build waits unserved, the newest is dpl_S (eeeeeee)",
            ])
        #expect(up.settlement == .settled)
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        stage.pass(.seconds(200))
        #expect(await stage.observe().live.declared?.id == "dpl_C", "\(new) is built and waits")

        #expect(await stage.turn(.lower, from: "false", to: "true") == .accepted(["autoAssignCustomDomains": "true"]))
        let down = await stage.observe()
        #expect(down.automation?.isOn == true)
        #expect(!down.notes.contains { $0.contains("automatic assignment") })
        #expect(stage.world.transport.received.count { !$0.method.isSafe } == 2, "one request each")
    }

    @Test func aSwitchIsSetTwiceWithTheEffectOfOnce() async throws {
        let stage = try VercelStage.make()
        for _ in 0..<2 { _ = await stage.turn(.raise, from: "true", to: "false") }
        #expect(await stage.world.effects() == 1)
    }

    @Test func whatIsNoSwitchIsRefusedWithoutARequest() async throws {
        let stage = try VercelStage.make()
        for (name, value) in [("autoDeploy", "false"), ("autoAssignCustomDomains", "perhaps")] {
            guard case .refused(let problem) = await stage.turn(.raise, from: "true", to: value, name: name) else {
                Issue.record("not refused")
                continue
            }
            #expect(problem.message == "vercel/web: \(name) cannot be set to \(value)")
        }
        #expect(stage.world.transport.received.isEmpty)
    }

    @Test(
        arguments: [
            (.dropAfter, "unknown"), (.answer(status: 500, headers: [:], body: ""), "unknown"),
            (.answer(status: 429, headers: ["Retry-After": "7"], body: ""), "throttled"),
            (.answer(status: 403, headers: [:], body: ""), "refused"),
        ] as [(Fault.Kind, String)])
    func theAnswerToASwitchIsTakenForWhatItIs(_ kind: Fault.Kind, _ expected: String) async throws {
        let stage = try VercelStage.make()
        stage.inject(Fault(method: .patch, kind))
        let word =
            switch await stage.turn(.raise, from: "true", to: "false") {
            case .accepted, .alreadySo: "accepted"
            case .refused: "refused"
            case .throttled: "throttled"
            case .unknown: "unknown"
            }
        #expect(word == expected)
    }

    @Test func aPromotionSwitchesItOnAndTheFenceGoesUpAgain() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_S"))
        _ = await stage.turn(.raise, from: "true", to: "false")
        let route = try #require(await stage.observe().route(to: "dpl_S"))
        #expect(route.cautions == ["switches automatic assignment of domains on; a fence goes up again at the end"])
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(10))
        let after = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(after.live.declared?.id == "dpl_S")
        #expect(after.automation?.isOn == true)
        #expect(after.automation?.setBy == "Vercel")
        _ = await stage.turn(.raise, from: "true", to: "false")
        #expect(await stage.observe().automation?.isOn == false)
    }

    @Test func aRollbackLeavesTheFenceAsItIs() async throws {
        let stage = try VercelStage.make()
        _ = await stage.turn(.raise, from: "true", to: "false")
        #expect(await stage.observe().route(to: "dpl_A")?.cautions.contains { $0.contains("assignment") } == false)
        _ = try await stage.go()
        stage.pass(.seconds(10))
        let observation = await stage.observe()
        #expect(observation.automation?.setBy == "Belay")
        #expect(observation.notes.first == "automatic assignment of domains is off, by a fence of Belay's: pushes are built and not served")
    }

    @Test func aRollbackWithoutAFenceIsWhatSwitchedItOff() async throws {
        let stage = try VercelStage.make()
        #expect(
            await stage.observe().route(to: "dpl_A")?.cautions.first
                == "switches automatic assignment of domains off: later pushes are built and not served")
        _ = try await stage.go()
        stage.pass(.seconds(10))
        let observation = await stage.observe()
        #expect(observation.automation?.isOn == false)
        #expect(observation.notes.first?.contains("off since the rollback of ") == true)
        #expect(observation.notes.first?.hasSuffix("to dpl_A, by Belay: pushes are built and not served") == true)
    }

    @Test func case4WhatWaitsBehindTheFenceIsPromotedWhenThePinMovesOn() async throws {
        let stage = try VercelStage.make(pin: .name("f00df00"))
        _ = await stage.turn(.raise, from: "true", to: "false")
        stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006")
        var walk = VercelWalk(stage, isFenced: true)
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent.count == 1 && sent[0].hasPrefix("promote "))
        #expect(await stage.project["autoAssign"]?.bool == false)
    }

    @Test func case5WhatPeopleSwitchedOffIsNoFenceToRaise() async throws {
        let stage = try VercelStage.make()
        stage.vercel.setAutoAssign("podcast-web", false)
        var walk = VercelWalk(stage, isFenced: true)
        #expect(try await walk.go().end == .arrived)
        #expect(stage.world.writes == 1, "the rollback, and no switch")
        #expect(await stage.project["autoAssignUpdatedBy"]?.string == "user_sim")
    }

    @Test func case5APauseSwitchesItOffAndIsNotLifted() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        stage.vercel.setPaused("podcast-web", true)
        let observation = await stage.observe()
        #expect(observation.automation?.isOn == false)
        #expect(observation.notes.first == "automatic assignment of domains is off while the project is paused")
        #expect(stage.world.writes == 0)
    }

    // MARK: - Races

    /// Somebody pushes, and the build is finished half a second after the rollback was asked for.
    @Test(arguments: [false, true]) func aPushInTheMiddleOfARollbackServesOnlyWithoutAFence(_ isFenced: Bool) async throws {
        let stage = try VercelStage.make { $0["seconds"] = ["queue": 1, "build": 10, "assign": 1, "pending": 3, "job": 4] }
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        stage.pass(.seconds(11))
        if isFenced { _ = await stage.turn(.raise, from: "true", to: "false") }
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(2))
        let middle = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(middle.live.declared?.id == (isFenced ? "dpl_C" : new))
        #expect(middle.fate == .inFlight)
        stage.pass(.seconds(30))
        let end = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(end.fate == .tookEffect)
        #expect(end.live.declared?.id == "dpl_A")
        #expect(end.settlement == .settled)
        let served = await stage.project["deployments"]?.elements.first { $0["id"]?.string == new }?["substate"]?.string
        #expect(served == (isFenced ? "STAGED" : "PROMOTED"))
    }

    @Test func aPushAfterAPromotionTakesTheDomainsUnlessTheFenceIsUpAgain() async throws {
        for isFenced in [false, true] {
            let stage = try VercelStage.make(pin: .name("dpl_S"))
            var walk = VercelWalk(stage, isFenced: isFenced)
            #expect(try await walk.go().end == .arrived)
            let new = stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006")
            stage.pass(.seconds(200))
            let observation = await walk.observe()
            #expect(observation.live.declared?.id == (isFenced ? "dpl_S" : new))
            guard !isFenced else { continue }
            #expect(observation.cause?.hasPrefix("push of f00df00 to main by ada, 2026-11-23T") == true)
        }
    }

    /// A job of somebody else takes the place of ours: ours has left no trace, and theirs is told.
    @Test func aRollbackInTheDashboardInTheMiddleOfOursIsNotTakenForIt() async throws {
        let stage = try VercelStage.make()
        let (_, change, intent) = try await stage.go()
        stage.pass(.milliseconds(1000))
        stage.vercel.humanRollback("podcast-web", "dpl_B")
        stage.pass(.seconds(30))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.live.declared?.id == "dpl_B")
        guard case .undecided = observation.fate else {
            Issue.record("the fate is \(String(describing: observation.fate))")
            return
        }
        stage.pass(.seconds(90))
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .void)
        #expect(observation.cause?.hasPrefix("rollback to dpl_B (bbbbbbb), 2026-11-23T") == true)
    }

    // MARK: - Cause

    @Test func theCauseTellsWhoMadeWhatIsLive() async throws {
        let stage = try VercelStage.make()
        #expect(await stage.observe().cause?.hasPrefix("push of ccccccc to main by ") == true)

        _ = try await stage.go()
        stage.pass(.milliseconds(200))
        #expect(await stage.observe().cause?.hasPrefix("push of ccccccc") == true, "a job under way has made nothing yet")
        stage.pass(.seconds(10))
        let ours = try #require(await stage.observe().cause)
        #expect(ours.firstMatch(of: #/^rollback to dpl_A \(aaaaaaa\) by Belay, 2026-11-23T\d\d:\d\d:\d\dZ$/#) != nil, "\(ours)")

        stage.vercel.humanPromote("podcast-web", "dpl_S")
        stage.pass(.seconds(10))
        #expect(await stage.observe().cause?.hasPrefix("promote to dpl_S (eeeeeee), ") == true)

        let new = stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006")
        stage.pass(.seconds(100))
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == new)
        #expect(observation.cause?.hasPrefix("push of f00df00 to main by ada, ") == true)
    }

    @Test func aBuildOfOurOwnIsToldAsOurs() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        _ = try await stage.go()
        stage.pass(.seconds(100))
        #expect(await stage.observe().cause?.contains("by Belay, ") == true)
    }
}
