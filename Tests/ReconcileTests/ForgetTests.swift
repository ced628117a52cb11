import HTTPCore
import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// A component leaves the spec, and then Belay lets go of it.
@Suite struct ForgetTests {
    private static let withoutWeb = """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata:
          name: shop
        spec:
          components:
            api:
              kubernetes: {namespace: prod, deployment: backend, container: api}
              release: v3
        """

    /// What the front end's automation was set to, in this order.
    private func assignments(_ system: SandboxedSystem) -> [Bool] {
        system.writes.compactMap { $0.body?["autoAssignCustomDomains"]?.bool }
    }

    @Test func theAutomationComesBackAndNothingElseChanges() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            try await system.commit(web: "dpl_web2")
            let once = try await system.reconcile("--once", "-f", system.specs)
            #expect(once.status == 0, "\(once.output)\(once.errors)")
            #expect(assignments(system).contains(false), "its fence is up")

            let named = try await system.reconcile("forget", "web", "-f", system.specs)
            #expect(named.status == 3 && named.output.contains("the spec still names it"), "\(named.output)\(named.errors)")
            try system.place.write("specs/system.yaml", Self.withoutWeb)
            _ = try await system.place.commit("no web any more")
            let count = system.writes.count
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            #expect(system.writes.count == count, "it is left as it is, its fence included")

            let forgotten = try await system.reconcile("forget", "web", "-f", system.specs, "-o", "json")
            #expect(forgotten.status == 0, "\(forgotten.output)\(forgotten.errors)")
            let item = try JSON(parsing: forgotten.output)["items"]?[0]
            #expect(item?["forgotten"]?.bool == true && item?["component"]?.string == "web")
            #expect(system.writes.count == count + 1, "one request, which sets the switch")
            #expect(assignments(system).last == true)
            let journal = try system.stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text ?? ""
            #expect(journal.contains(#""kind":"forgotten""#))

            let again = try await system.reconcile("forget", "web", "-f", system.specs)
            #expect(again.status == 1 && again.output.contains("nothing is recorded of component/web"), "\(again.output)")
            #expect(try await system.reconcile("plan", "-f", system.specs).status == 0)
        }
    }

    @Test func withoutItsProviderItIsKeptUntilItsFenceIsToBeLeft() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            try await system.commit(web: "dpl_web2")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let before = try system.stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text
            let away: [String: String?] = ["VERCEL_API_URL": "http://127.0.0.1:1"]
            let failed = try await system.reconcile("forget", "web", "--system", "shop", variables: away)
            #expect(failed.status == 1 && failed.output.contains("--leave-fence"), "\(failed.output)\(failed.errors)")
            #expect(try system.stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text == before, "nothing is forgotten")
            let left = try await system.reconcile("forget", "web", "--system", "default/shop", "--leave-fence", variables: away)
            #expect(left.status == 0 && left.output.contains("its fence is left"), "\(left.output)\(left.errors)")
            #expect(assignments(system).last == false)
        }
    }

    @Test func aTransitionThatStillMovesItIsEndedWithoutItFirst() async throws {
        try await SandboxedSystem.with { system in
            try await system.commit()
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            try await system.commit(api: "broken")
            let failed = try await system.reconcile("--once", "-f", system.specs)
            #expect(failed.status == 1 && failed.output.contains("stays open"), "\(failed.output)\(failed.errors)")
            let withoutAPI = Self.withoutWeb.split(separator: "\n").dropLast(3).joined(separator: "\n")
            try system.place.write(
                "specs/system.yaml", withoutAPI + "\n    web:\n      vercel: {project: shop-web, team: acme}\n      release: dpl_web3\n")
            _ = try await system.place.commit("no api any more")
            let early = try await system.reconcile("forget", "api", "-f", system.specs)
            #expect(early.status == 3 && early.output.contains("the open transition to"), "\(early.output)\(early.errors)")
            let once = try await system.reconcile("--once", "-f", system.specs)
            #expect(once.status == 0, "\(once.output)\(once.errors)")
            let forgotten = try await system.reconcile("forget", "api", "-f", system.specs)
            #expect(forgotten.status == 0, "\(forgotten.output)\(forgotten.errors)")
        }
    }

    @Test func itSaysWhatItNeeds() async throws {
        let usage = try await BuiltProgram("reconcile").run(["forget", "web"])
        #expect(usage.status == 64 && usage.errors.contains("-f PATH"))
        let help = try await BuiltProgram("reconcile").run(["forget", "--help"])
        #expect(help.status == 0 && help.output.contains("--leave-fence") && help.output.contains("fence: false"))
    }
}
