import FoundationEssentials
import TestPrograms
import Testing

/// A local `.env`, kept by the program as its developer uses it.
@Suite struct EnvFileTests {
    @Test func aLocalFileIsBroughtToItsSpecAndStaysThere() async throws {
        let place = try Place()
        let spec = """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: development}
            spec:
              components:
                local:
                  envFile: {path: .env}
                  env:
                    API_URL: http://localhost:3000
                    TOKEN: {fromEnv: LOCAL_TOKEN}
            """
        try place.write("here/system.yaml", spec)
        let old = "# mine\nAPI_URL=http://old # moved\nOTHER=\"kept as it is\"\n"
        try place.write("here/.env", old)
        let variables: [String: String?] = [
            "XDG_STATE_HOME": place.path("state"), "LOCAL_TOKEN": "hunter2-hunter2", "BELAY_KEY": nil as String?,
        ]
        func reconcile(_ arguments: String...) async throws -> BuiltProgram.Ended {
            let ended = try await BuiltProgram("reconcile").run(
                arguments + ["-f", "here/system.yaml"], variables: variables, in: place.root)
            #expect(!(ended.output + ended.errors).contains("hunter2"), "no value is printed")
            return ended
        }

        let plan = try await reconcile("plan")
        #expect(
            plan.status == 3 && plan.output.contains("configuration: API_URL is changed"), "a first contact: \(plan.output)\(plan.errors)")
        #expect(try place.read("here/.env") == old, "planning writes nothing")
        let once = try await reconcile("--once", "--adopt")
        #expect(once.status == 0, "\(once.output)\(once.errors)")
        #expect(
            try place.read("here/.env")
                == "# mine\nAPI_URL=http://localhost:3000 # moved\nOTHER=\"kept as it is\"\nTOKEN=hunter2-hunter2\n")
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path("here"))
        let backups = names.filter { $0.hasPrefix(".env.belay-backup-") }
        #expect(try backups.map { try place.read("here/\($0)") } == [old])
        #expect(try await reconcile("plan").status == 0)
        #expect(try await reconcile("--once").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path("here")).count == names.count, "in sync, nothing is written")
        for file in try FileManager.default.subpathsOfDirectory(atPath: place.path("state")) where file.hasSuffix(".jsonl") {
            #expect(!(try place.read("state/\(file)")).contains("hunter2"))
        }

        try place.write("here/.env", old.replacing("# mine", with: "TOKEN='never closed"))
        let torn = try await reconcile("--once")
        #expect(torn.status == 1 && torn.output.contains("here/.env, line 1: its quote ' is never closed"), "\(torn.output)")
        try place.remove()
    }

    /// Killed at moments spread over a whole run: what they hit differs from run to run, what must hold does not.
    @Test func killedAtAnyMomentItLeavesTheOldFileOrTheNewOneAndOneBackup() async throws {
        let old = "# mine\nA=1\n"
        let new = "# mine\nA=2\n"
        for milliseconds in stride(from: 20, through: 200, by: 15) {
            let place = try Place()
            try place.write(
                "system.yaml",
                """
                apiVersion: belay.dev/v1alpha1
                kind: System
                metadata: {name: development}
                spec: {components: {local: {envFile: {path: .env}, env: {A: 2}}}}
                """)
            try place.write(".env", old)
            let limit = "0.\(milliseconds < 100 ? "0" : "")\(milliseconds)"
            _ = try await BuiltProgram(onSearchPath: "timeout").run(
                ["-s", "KILL", limit, BuiltProgram.path(of: "reconcile"), "--once", "--adopt", "-f", "system.yaml"],
                variables: ["XDG_STATE_HOME": place.path("state")], in: place.root)
            let left = try place.read(".env")
            #expect([old, new].contains(left), "after \(milliseconds) ms")
            let ended = try await BuiltProgram("reconcile").run(
                ["--once", "--adopt", "-f", "system.yaml"], variables: ["XDG_STATE_HOME": place.path("state")], in: place.root)
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(try place.read(".env") == new)
            let backups = try FileManager.default.contentsOfDirectory(atPath: place.root).filter { $0.hasPrefix(".env.") }
            #expect(try backups.map(place.read) == [old], "after \(milliseconds) ms: \(backups)")
            try place.remove()
        }
    }
}
