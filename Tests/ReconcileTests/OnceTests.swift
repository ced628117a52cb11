import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// The main job, as its user sees it.
@Suite struct OnceTests {
    @Test func anOlderPinIsPlannedReconciledAndThenInSyncWithoutAnotherWrite() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            #expect(system.writes.isEmpty, "the first contact with a system in sync only records it")

            try await system.commit(web: "dpl_web2", api: "v2")
            let plan = try await system.reconcile("plan", "-f", system.specs)
            #expect(plan.status == 2, "\(plan.output)\(plan.errors)")
            #expect(plan.output.contains("Plan: 2 changes."))
            #expect(system.writes.isEmpty)
            let once = try await system.reconcile("--once", "-f", system.specs)
            #expect(once.status == 0, "\(once.output)\(once.errors)")
            #expect(system.writes.map(\.method) == [.patch, .post, .patch], "the fence, then dependents go back first")
            #expect(once.output.contains("fence up: web: autoAssignCustomDomains is false (was true)"), "\(once.output)")

            let count = system.writes.count
            #expect(try await system.reconcile("plan", "-f", system.specs).status == 0)
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            #expect(system.writes.count == count)

            try await system.place.git("revert", "--no-edit", "HEAD")
            let forward = try await system.reconcile("--once", "-f", system.specs)
            #expect(forward.status == 0, "\(forward.output)\(forward.errors)")
            #expect(system.writes.dropFirst(count).map(\.method) == [.patch, .post], "dependencies go forward first")
            let status = try await system.reconcile("status", "-f", system.specs, "-o", "json")
            let item = try JSON(parsing: status.output)["items"]?[0]
            #expect(item?["components"]?.elements.map { $0["state"]?.string } == ["InSync", "InSync"])
        }
    }

    @Test func theFirstContactIsRefusedUntilItIsAdopted() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit(web: "dpl_web2")
            let refused = try await system.reconcile("--once", "-f", system.specs)
            #expect(refused.status == 3)
            #expect(refused.output.contains("add --adopt"), "\(refused.output)")
            #expect(system.writes.isEmpty)
            #expect(try await system.reconcile("--once", "-f", system.specs, "--adopt").status == 0)
            #expect(system.writes.map(\.method) == [.patch, .post], "the fence, and the one change")
        }
    }

    @Test func anOlderRevisionIsRefusedUntilItIsForced() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            try await system.commit(web: "dpl_web2")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let count = system.writes.count
            try await system.place.git("checkout", "-q", "HEAD~1")
            let refused = try await system.reconcile("--once", "-f", system.specs)
            #expect(refused.status == 3)
            #expect(refused.output.contains("which was reconciled already"), "\(refused.output)")
            #expect(try await system.reconcile("plan", "-f", system.specs).status == 3)
            #expect(system.writes.count == count)
            #expect(try await system.reconcile("--once", "-f", system.specs, "--force").status == 0)
            #expect(system.writes.count == count + 1)
        }
    }

    @Test func aBrokenImageFailsWithTheKubeletsReasonAndAnOlderPinHealsIt() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            for (image, reason) in [("broken", "ImagePullBackOff"), ("crashing", "CrashLoopBackOff")] {
                try await system.commit(api: image)
                let failed = try await system.reconcile("--once", "-f", system.specs)
                #expect(failed.status == 1, "\(failed.output)\(failed.errors)")
                #expect((failed.output + failed.errors).contains(reason) || failed.output.contains("back-off"), "\(failed.output)")
                #expect(failed.output.contains("stays open"))
            }
            // The front end is unreachable as well: nothing waits for a broken thing to become healthy.
            try await system.commit(api: "v2")
            let healed = try await system.reconcile("--once", "-f", system.specs)
            #expect(healed.status == 0, "\(healed.output)\(healed.errors)")
        }
    }

    @Test func anUnreachableProviderDoesNotBlockTheRollbackOfTheOther() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            try await system.commit(web: "dpl_web2", api: "v2")
            let partial = try await system.reconcile(["--once", "-f", system.specs], variables: ["VERCEL_API_URL": "http://127.0.0.1:9"])
            #expect(partial.status == 1)
            #expect(system.writes.map(\.method) == [.patch], "the back end goes back although nobody knows the front end")
            #expect(partial.output.contains("vercel/web"), "\(partial.output)")
            let rest = try await system.reconcile("--once", "-f", system.specs)
            #expect(rest.status == 0, "\(rest.output)\(rest.errors)")
            #expect(system.writes.map(\.method) == [.patch, .patch, .post], "then the front end's fence, and the front end")
        }
    }

    @Test func aFailedCheckFailsThePinAndLeavesTheTransitionOpen() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let nobody = "  verify:\n    - http: {url: \"http://127.0.0.1:9/healthz\", within: 2s}\n"
            try await system.commit(web: "dpl_web2", more: nobody)
            let failed = try await system.reconcile("--once", "-f", system.specs)
            #expect(failed.status == 1)
            #expect(failed.output.contains("http://127.0.0.1:9/healthz"), "\(failed.output)")
            #expect(failed.output.contains("owed: checks of the system"), "\(failed.output)")
            let status = try await system.reconcile("status", "-f", system.specs)
            #expect(status.output.contains("transition open since"), "\(status.output)")
            #expect(try await system.reconcile("plan", "-f", system.specs).status == 2, "an open transition is something to do")
            // The checks pass once the URL does; nothing is written again.
            let count = system.writes.count
            let vercel = try #require(system.sandbox.server.urls["vercel"])
            try await system.commit(web: "dpl_web2", more: "  verify:\n    - http: {url: \"\(vercel)/_sandbox/world\", within: 5s}\n")
            let passed = try await system.reconcile("--once", "-f", system.specs)
            #expect(passed.status == 0, "\(passed.output)\(passed.errors)")
            #expect(system.writes.count == count)
        }
    }

    @Test func aSystemThatIsBrokenEverywhereIsHealedByOlderPins() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            // The back end crash-loops and the front end cannot be reached.
            let unreachable = "      verify:\n        - http: {url: \"http://127.0.0.1:9/\", within: 1s}\n"
            let spec = SandboxedSystem.spec(web: "dpl_web2", api: "crashing").replacing(
                "      after: [api]\n", with: "      after: [api]\n" + unreachable)
            try system.place.write("specs/system.yaml", spec)
            _ = try await system.place.commit("broken")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 1)
            try await system.commit(web: "dpl_web1", api: "v2")
            let healed = try await system.reconcile("--once", "-f", system.specs)
            #expect(healed.status == 0, "\(healed.output)\(healed.errors)")
        }
    }

    @Test func aSystemOnStandardInputIsReconciledToItsEnd() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v2"))
            let variables = system.sandbox.environment.map { "\($0.name)='\($0.value)'" }.joined(separator: " ")
            let line = "XDG_STATE_HOME='\(system.state)' \(variables) \(BuiltShell.reconcile) --once --adopt -f - < \(spec)"
            let ended = try await BuiltShell.run(line)
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.count == 3)
        }
    }

    @Test func aReaderThatGoesAwayDoesNotEndARollback() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v2"))
            let variables = system.sandbox.environment.map { "\($0.name)='\($0.value)'" }.joined(separator: " ")
            let line = "XDG_STATE_HOME='\(system.state)' \(variables) \(BuiltShell.reconcile) --once --adopt -f \(spec)"
            _ = try await BuiltShell.run("\(line) 2>&1 | true")
            let after = try await system.reconcile("plan", "-f", spec)
            #expect(after.status == 0, "\(after.output)")
            let full = try await BuiltShell.run("\(line) > /dev/full")
            #expect(full.status == 1 && full.errors.contains("the result could not be written"), "\(full.errors)")
        }
    }

    @Test func filesWithoutAHistoryAreRefusedAfterACommit() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let variables = system.sandbox.environment.map { "\($0.name)='\($0.value)'" }.joined(separator: " ")
            let line = "XDG_STATE_HOME='\(system.state)' \(variables) \(BuiltShell.reconcile) --once -f -"
            let refused = try await BuiltShell.run("sed s/dpl_web3/dpl_web1/ \(system.specs)/system.yaml | \(line)")
            #expect(refused.status == 3, "\(refused.output)")
            #expect(refused.output.contains("stands in no Git history"), "\(refused.output)")
            #expect(system.writes.isEmpty)
            let plan = try await BuiltShell.run(
                "sed s/dpl_web3/dpl_web1/ \(system.specs)/system.yaml | \(line.replacing("--once", with: "plan")) -o json")
            let item = try JSON(parsing: plan.output)["items"]?[0]
            #expect(item?["verdict"] == "blocked" && item?["refusal"]?["reason"] == "RevisionWithoutHistory", "\(plan.output)")
        }
    }

    @Test func aJobWhoseDiskMayNotLastIsToldSo() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            let home: [String: String?] = ["CI": "true", "HOME": system.state, "XDG_STATE_HOME": String?.none]
            let told = try await system.reconcile(["--once", "-f", system.specs], variables: home)
            #expect(told.status == 0)
            #expect(told.errors.contains("where it may not outlive the job"), "\(told.errors)")
            let placed = try await system.reconcile(["--once", "-f", system.specs, "--state", system.state], variables: home)
            #expect(!placed.errors.contains("outlive"), "\(placed.errors)")
        }
    }

    @Test func aJobSummaryIsWrittenWhereTheCIOffersAPlace() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            let summary = try system.place.write("summary.md", "before\n")
            #expect(try await system.reconcile(["--once", "-f", system.specs], variables: ["GITHUB_STEP_SUMMARY": summary]).status == 0)
            let text = try system.place.read("summary.md")
            #expect(text == "before\n### default/shop: in sync, nothing to do\n\n", "what was there stays")
        }
    }

    @Test func standardInputAndDirectoriesAreReadAlike() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            let directory = try await system.reconcile("validate", "-f", system.specs)
            #expect(directory.output == "✔ 1 system is valid: default/shop\n")
            let shell = try await BuiltShell.run("\(BuiltShell.reconcile) validate -f - < \(system.specs)/system.yaml")
            #expect(shell.output == "✔ 1 system is valid: default/shop\n", "\(shell.errors)")
        }
    }
}
