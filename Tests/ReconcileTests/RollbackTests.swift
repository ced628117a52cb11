import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// An earlier release is pinned, with what belonged to it.
@Suite struct RollbackTests {
    @Test func previousIsWhatRanBeforeAndComesWithTheEnvOfThen() async throws {
        try await SandboxedSystem.with { system in
            try await system.commitSpec(web: "dpl_web2", api: "v2", env: "A: one", requires: "")
            #expect(try await system.reconcile("--once", "--adopt", "-f", system.specs).status == 0)
            try await system.commitSpec(web: "dpl_web2", api: "v3", env: "A: two, B: {fromEnv: HOME}", requires: "")
            let forward = try await system.reconcile("--once", "-f", system.specs)
            #expect(forward.status == 0, "\(forward.output)\(forward.errors)")
            let before = try system.place.read("specs/system.yaml")

            let dry = try await system.reconcile("rollback", "api", "-f", system.specs, "--dry-run")
            #expect(dry.status == 0, "\(dry.output)\(dry.errors)")
            #expect(try system.place.read("specs/system.yaml") == before)
            let ended = try await system.reconcile(
                ["rollback", "api", "-f", system.specs, "--commit", "--reason", "v3 loses carts"], variables: Self.author)
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            let text = try system.place.read("specs/system.yaml")
            #expect(text.contains("release: v2") && text.contains("env: {A: one}"), "\(text)")
            #expect(text.contains("# the front end"), "comments stay")
            #expect(try await system.place.git("log", "-1", "--format=%s") == "shop: roll back api from v3 to v2")
            let body = try await system.place.git("show", "--no-patch", "--format=%b", "HEAD")
            #expect(body == "- api from v3 to v2", "the first line of what is told in full")
            let back = try await system.reconcile("--once", "-f", system.specs)
            #expect(back.status == 0, "\(back.output)\(back.errors)")
            let status = try await system.reconcile("status", "-f", system.specs, "-o", "json")
            #expect(
                try JSON(parsing: status.output)["items"]?[0]?["components"]?.elements.map { $0["state"]?.string } == ["InSync", "InSync"])
        }
    }

    @Test func keepEnvTakesTheReleaseAlone() async throws {
        try await SandboxedSystem.with { system in
            try await system.commitSpec(web: "dpl_web2", api: "v2", env: "A: one", requires: "")
            #expect(try await system.reconcile("--once", "--adopt", "-f", system.specs).status == 0)
            try await system.commitSpec(web: "dpl_web2", api: "v3", env: "A: two", requires: "")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let ended = try await system.reconcile("rollback", "api", "-f", system.specs, "--keep-env")
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            let text = try system.place.read("specs/system.yaml")
            #expect(text.contains("release: v2") && text.contains("env: {A: two}"), "\(text)")
        }
    }

    @Test func allTakesBackWhatTheLastChangeMovedAndNothingElse() async throws {
        try await SandboxedSystem.with { system in
            for (web, api) in [("dpl_web1", "v1"), ("dpl_web1", "v2"), ("dpl_web2", "v3")] {
                try await system.commitSpec(web: web, api: api, env: "A: one", requires: "")
                let ended = try await system.reconcile("--once", "--adopt", "-f", system.specs)
                #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            }
            let ended = try await system.reconcile("rollback", "--all", "-f", system.specs)
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            let text = try system.place.read("specs/system.yaml")
            #expect(text.contains("release: dpl_web1") && text.contains("release: v2"), "\(text)")

            try await system.commitSpec(web: "dpl_web2", api: "v2", env: "A: one", requires: "")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            #expect(try await system.reconcile("rollback", "--all", "-f", system.specs).status == 0)
            let alone = try system.place.read("specs/system.yaml")
            #expect(
                alone.contains("release: dpl_web2") && alone.contains("release: v3"), "the last change moved only the back end: \(alone)")
        }
    }

    @Test func whatCannotBeGoneBackToIsRefusedWithTheNextAction() async throws {
        try await SandboxedSystem.with { system in
            try await system.commitSpec(web: "dpl_web3", api: "v3", env: "A: one", requires: "")
            let before = try system.place.read("specs/system.yaml")
            func refused(_ arguments: String..., status: Int32 = 1, words: String) async throws {
                let ended = try await system.reconcile(arguments + ["-f", system.specs])
                #expect(ended.status == status, "\(arguments): \(ended.output)\(ended.errors)")
                #expect(ended.errors.contains(words), "\(arguments): \(ended.errors)")
                #expect(try system.place.read("specs/system.yaml") == before)
            }
            try await refused("rollback", "api", words: "no release before v3 is recorded here")
            try await refused("rollback", "--all", words: "no earlier release of any component is recorded here")
            try await refused("rollback", "api", "--to", "v9", words: "there is no release v9; there are:")
            try await refused("rollback", "apo", words: "did you mean \"api\"?")
            try await refused("rollback", status: 64, words: "Name the component, or say --all")
            try await refused("rollback", "api", "--all", status: 64, words: "not both")
            try await refused("rollback", "--all", "--to", "v2", status: 64, words: "takes no --to")
            #expect(try await system.reconcile("--once", "--adopt", "-f", system.specs).status == 0)
            try await system.commitSpec(web: "dpl_web3", api: "v2", env: "A: one", requires: "")
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let good = try await system.reconcile("rollback", "api", "--to", "last-known-good", "-f", system.specs)
            #expect(good.status == 1 && good.errors.contains("is recorded as good"), "\(good.errors)")
            let named = try await system.reconcile("rollback", "api", "--to", "v1", "-f", system.specs)
            #expect(named.status == 0, "one that was never reached can be named: \(named.output)\(named.errors)")
            #expect(try system.place.read("specs/system.yaml").contains("release: v1"))
        }
    }

    private static let author: [String: String?] = [
        "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
    ]
}

extension SandboxedSystem {
    fileprivate func commitSpec(web: String, api: String, env: String, requires: String) async throws {
        try place.write(
            "specs/system.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop}
            spec:
              components:
                web: # the front end
                  vercel: {project: shop-web, team: acme}
                  release: \(web)
                api:
                  kubernetes: {namespace: prod, deployment: backend, container: api}
                  release: \(api)
                  env: {\(env)}
            \(requires)
            """)
        _ = try await place.commit("web \(web), api \(api)")
    }
}
