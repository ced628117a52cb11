import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// The edge cases of the vendor's contract, section 11, by their numbers: environment variables, builds and rollbacks.
@Suite struct VercelConfigurationCaseTests {
    // MARK: - 16: a change needs a build, and a rollback brings old values back

    @Test func case16AChangedKeyIsNotInWhatIsLiveUntilItIsBuiltOnce() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) { $0["env"] = [.variable("API_URL", "old")] }
        // Somebody has set the right value after the build, and has not deployed since.
        stage.vercel.setVariable("podcast-web", "API_URL", "new")
        var walk = VercelWalk(stage, .make(["API_URL": "new"]))
        #expect(await walk.observe().configuration?.differences == [ConfigurationDifference("API_URL", .notApplied)])
        stage.pass(.seconds(60))
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent == ["renew dpl_C"])
        let (built, set) = await stage.markers("API_URL")
        #expect(built == set)
    }

    @Test func case16WithoutLeaveToBuildTheKeysAreRefusedByName() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C")) { $0["env"] = [.variable("API_URL", "old")] }
        var walk = VercelWalk(stage, .make(["API_URL": "new"], secrets: ["DSN": "s"]))
        guard case .blocked(let problem) = try await walk.pass() else {
            Issue.record("not blocked")
            return
        }
        #expect(
            problem.description
                == "vercel/web: dpl_C was built before API_URL, DSN had the value that the spec gives, and a build cannot be changed; "
                + "set allowRebuild: true to build it anew with those values, or take API_URL, DSN out of env")
        #expect(stage.world.writes == 0)
    }

    @Test(arguments: [false, true]) func case16AnUndoAndAChangedKeyStandTogetherAfterOneBuildOnly(_ isAllowed: Bool) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A"), allowRebuild: isAllowed) { $0["env"] = [.variable("API_URL", "old")] }
        var walk = VercelWalk(stage, .make(["API_URL": "new"]), isFenced: true)
        let undo = try #require(await walk.observe().candidate("dpl_A")?.routes.first { $0.verb == .undo })
        #expect(undo.refusal?.reason == (isAllowed ? "RebuildNeeded" : "RebuildNotAllowed"))
        let (end, sent) = try await walk.go()
        guard isAllowed else {
            #expect(end == .blocked(try #require(undo.refusal)))
            #expect(undo.refusal?.next == "set allowRebuild: true to build it anew with that value, or take API_URL out of env")
            #expect(stage.world.writes == 0)
            return
        }
        #expect(end == .arrived)
        #expect(sent.prefix(2) == ["put API_URL", "renew dpl_A"])
        #expect(sent.count == 3)
        let live = await walk.observe().live.declared
        #expect(live?.lineage == [ArtifactIdentity(.deployment, "dpl_A")])
        #expect(live?.names.contains { $0.value == VercelStage.shaA } == true)
        #expect(await stage.project["autoAssign"]?.bool == false, "the fence is up again after the promotion")
    }

    @Test func case16AnUndoToABuildThatHasTheValuesIsInstant() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A")) { $0["env"] = [.variable("API_URL", "same"), .variable("GONE", "x")] }
        var walk = VercelWalk(stage, .make(["API_URL": "same"], isExact: true))
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent == ["remove GONE", "rollback dpl_A"])
    }

    @Test func case16ThePlanNamesTheKeysThatComeBackWithAnOldBuild() async throws {
        let stage = try VercelStage.make { $0["env"] = [.variable("SECRET_TOKEN", "leaked")] }
        stage.vercel.setVariable("podcast-web", "SECRET_TOKEN", "rotated")
        stage.vercel.setVariable("podcast-web", "ADDED", "x")
        let route = try #require(await stage.observe().route(to: "dpl_A"))
        #expect(route.refusal == nil)
        #expect(route.cautions.contains("environment variables come back as dpl_A was built with them, changed since then: SECRET_TOKEN"))
        #expect(route.cautions.contains("environment variables that dpl_A was built without, added since then: ADDED"))
    }

    @Test func case16ABuildThatWasMadeForTheKeysIsUsedAgain() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) { $0["env"] = [.variable("API_URL", "old")] }
        var walk = VercelWalk(stage, .make(["API_URL": "new"]))
        #expect(try await walk.go().end == .arrived)
        let built = await walk.observe().live.declared
        // Somebody rolls back in the dashboard, to the pinned release itself: the keys are not in it.
        stage.vercel.humanRollback("podcast-web", "dpl_C")
        stage.pass(.seconds(10))
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent == ["rollback \(built?.id ?? "")"])
        #expect(await stage.builds == 1)
    }

    @Test(arguments: [Pin.name("dpl_C"), .commit(VercelStage.shaC)]) func case16ASecondChangeKeepsTheLineage(_ pin: Pin) async throws {
        let stage = try VercelStage.make(pin: pin, allowRebuild: true)
        for value in ["1", "2", "3"] {
            var walk = VercelWalk(stage, .make(["API_URL": value]))
            #expect(try await walk.go().end == .arrived)
            // No records, as on a new machine: what is live is the pin all the same.
            let observation = await VercelWalk(stage, .make(["API_URL": value])).observe()
            let resolution = try stage.world.resolution(in: observation)
            #expect(observation.live.declared?.matches(resolution) == true)
            #expect(observation.configuration?.differences == [])
            stage.pass(.seconds(60))
        }
        #expect(await stage.builds == 3)
    }

    @Test func case8ABuildForTheKeysThatFailsLeavesWhatIsLive() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true)
        stage.vercel.setNextBuild("podcast-web", .error("npm failed"))
        var walk = VercelWalk(stage, .make(["API_URL": "new"]), isFenced: true)
        guard case .failed(let problem) = try await walk.pass() else {
            Issue.record("not failed")
            return
        }
        #expect(problem.reason == "BuildFailed")
        #expect(await stage.project["production"]?.string == "dpl_C")
        #expect(walk.sent == ["put API_URL", "renew dpl_C"])
        #expect(try await walk.go().end == .arrived)
        #expect(await stage.builds == 2)
    }

    // MARK: - 17: the team's policy, and values that cannot be read back

    @Test(arguments: [false, true]) func case17WhatCannotBeReadBackIsKnownByItsMark(_ isPolicyOn: Bool) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true, sensitivePolicy: isPolicyOn) {
            $0["env"] = [.variable("DSN", "s", "sensitive")]
        }
        var walk = VercelWalk(stage, .make(["API_URL": "new"], secrets: ["DSN": "s"]))
        #expect(await walk.observe().configuration?.differences.last == ConfigurationDifference("DSN", .unverified))
        #expect(try await walk.go().end == .arrived)
        #expect(try await walk.go().sent == [])
        let types = await stage.project["env"]?.elements.map { $0["type"]?.string }
        #expect(types == ["sensitive", isPolicyOn ? "sensitive" : "encrypted"])

        // Somebody changes it: its mark is another one, and it is set once more.
        stage.pass(.seconds(60))
        stage.vercel.setVariable("podcast-web", "DSN", "theirs")
        #expect(await walk.observe().configuration?.differences == [ConfigurationDifference("DSN", .unverified)])
        #expect(try await walk.go().sent.first == "put DSN")
        #expect(try await walk.go().sent == [])
    }

    // MARK: - 18: a 201 that holds what failed

    @Test func case18WhatFailedInsideA201IsRefusedInTheVendorsWords() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true)
        let body =
            #"{"created":[],"failed":[{"error":{"code":"ENV_CONFLICT","message":"hunter2 is not welcome","key":"DSN","value":"hunter2"}}]}"#
        stage.inject(Fault(method: .post, .answer(status: 201, headers: [:], body: body)))
        var walk = VercelWalk(stage, .make(secrets: ["DSN": "hunter2"]))
        guard case .failed(let problem) = try await walk.pass() else {
            Issue.record("not failed")
            return
        }
        #expect(problem.message == "vercel/web: DSN was not set: ENV_CONFLICT: (secret) is not welcome")
        #expect(walk.sent == ["put DSN"])
        #expect(await stage.builds == 0)
    }

    @Test func aValueThatTheVendorRepeatsInAnErrorIsNotSaid() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true)
        stage.inject(
            Fault(method: .post, .answer(status: 400, headers: [:], body: #"{"error":{"code":"bad_request","message":"hunter2!"}}"#)))
        var walk = VercelWalk(stage, .make(secrets: ["DSN": "hunter2"]))
        let end = try await walk.pass()
        #expect("\(end)".contains("(secret)!"))
        #expect(!"\(end)".contains("hunter2"))
    }

    // MARK: - Lost answers

    @Test(
        arguments: [
            (.post, .dropAfter), (.post, .dropBefore), (.patch, .dropAfter), (.patch, .dropBefore), (.delete, .dropAfter),
            (.delete, .dropBefore),
        ] as [(HTTPMethod, Fault.Kind)])
    func aLostAnswerToAKeyIsFoundByReading(_ method: HTTPMethod, _ kind: Fault.Kind) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) {
            $0["env"] = [
                .variable("API_URL", "old", "encrypted", ["production", "preview"]), .variable("DSN", "s", "sensitive"),
                .variable("OLD", "x"),
            ]
        }
        stage.inject(Fault(method: method, kind))
        var walk = VercelWalk(stage, .make(["API_URL": "new"], secrets: ["DSN": "t"], isExact: true))
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        let parts = ["detach API_URL", "put API_URL", "put DSN", "remove OLD", "renew dpl_C"]
        let isLost = "\(kind)" == "dropBefore"
        let repeated = isLost ? parts.first { $0.hasPrefix(method == .post ? "put" : method == .patch ? "detach" : "remove") } : nil
        #expect(sent == parts.flatMap { $0 == repeated ? [$0, $0] : [$0] })
        #expect(await stage.builds == 1)
        #expect(try await walk.go().sent == [])
    }

    @Test(arguments: [Fault.Kind.dropAfter, .dropBefore]) func aLostAnswerToTheBuildIsFoundByItsMark(_ kind: Fault.Kind) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true)
        stage.inject(Fault(method: .post, path: "/v13/deployments", kind))
        var walk = VercelWalk(stage, .make(["API_URL": "new"]), isFenced: true)
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent.count { $0 == "renew dpl_C" } == ("\(kind)" == "dropBefore" ? 2 : 1))
        #expect(sent.count { $0 == "put API_URL" } == 1)
        #expect(await stage.builds == 1)
    }

    @Test func somebodysEditJustBeforeIsNotTakenForOurLostWrite() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) { $0["env"] = [.variable("DSN", "s", "sensitive")] }
        stage.vercel.setVariable("podcast-web", "DSN", "theirs")
        stage.pass(.seconds(2))
        stage.inject(Fault(method: .post, .dropBefore))
        var walk = VercelWalk(stage, .make(secrets: ["DSN": "ours"]))
        #expect(try await walk.pass() == .undecided("void"))
        #expect(walk.known.isEmpty)
        #expect(try await walk.go().end == .arrived)
    }

    @Test func aPassThatIsKilledAnywhereIsGoneOnWith() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A"), allowRebuild: true) { $0["env"] = [.variable("API_URL", "old")] }
        stage.vercel.setAutoAssign("podcast-web", false)
        // Each pass of a new process, without anything remembered: one part a pass.
        var parts: [String] = []
        for _ in 0..<6 {
            let walk = VercelWalk(stage, .make(["API_URL": "new"]))
            let observation = await walk.observe()
            let resolution = try stage.world.resolution(in: observation)
            if observation.live.declared?.matches(resolution) == true, observation.configuration?.differences == [] { break }
            var one = VercelWalk(stage, .make(["API_URL": "new"]))
            one.resolution = resolution
            parts += try await one.single()
            stage.pass(.seconds(200))
        }
        #expect(parts.map { $0.hasPrefix("promote") ? "promote" : $0 } == ["put API_URL", "renew dpl_A", "promote"])
        #expect(await stage.builds == 1)
    }
}
