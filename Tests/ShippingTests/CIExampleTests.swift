import FoundationEssentials
import TestPrograms
import Testing
import YAMLReading

/// The examples of docs/ci.md: their form is right, and what they run ends as it says.
@Suite struct CIExampleTests {
    private static let folder = "docs/examples/ci"

    @Test(
        .enabled(if: Tool.checkJSONSchema.isThere, Tool.checkJSONSchema.need),
        arguments: [
            ("vendor.github-workflows", "github-plan.yaml"), ("vendor.github-workflows", "github-apply.yaml"),
            ("vendor.gitlab-ci", "gitlab-ci.yaml"),
        ])
    func itsFormIsThatOfTheHost(_ schema: String, _ file: String) async throws {
        let ended = try await Tool.checkJSONSchema.run(["--builtin-schema", schema, "\(Self.folder)/\(file)"])
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
    }

    /// How a job begins and how its program must end.
    enum World: String, CaseIterable, Sendable {
        case inSync, pending, unknown, broken
        /// Of the job.
        var plan: Int32 { self == .broken ? 1 : 0 }
        var apply: Int32 { self == .broken ? 1 : self == .unknown ? 3 : 0 }
    }

    @Test(arguments: World.allCases) func thePlanOfAPullRequestIsAComment(_ world: World) async throws {
        let job = try await Job(world)
        let plan = try script(of: "github-plan.yaml", job: "plan", step: "Plan")
        let ended = try await job.run(plan)
        #expect(ended.status == world.plan, "\(ended.output)\(ended.errors)")
        let comment = try job.place.read("runner/plan.md")
        #expect(comment == (try job.place.read("summary.md")))
        #expect(comment.contains("### Plan for default/shop") == (world != .broken))
        switch world {
        case .inSync: #expect(ended.output.contains("in sync"))
        case .pending: #expect(ended.output.contains("changes pending"))
        case .unknown: #expect(ended.output.contains("::warning title=belay::") && comment.contains("Refused:"))
        case .broken: break
        }
        try job.place.remove()
    }

    @Test(arguments: World.allCases) func whatIsMergedIsDone(_ world: World) async throws {
        let job = try await Job(world)
        let ended = try await job.run(try script(of: "github-apply.yaml", job: "apply", step: "Reconcile"))
        #expect(ended.status == world.apply, "\(ended.output)\(ended.errors)")
        #expect(try job.place.read("host.env") == (world == .unknown || world == .broken ? "MODE=slow\n" : "MODE=fast\n"))
        if world != .broken { #expect(try job.place.read("summary.md").contains("default/shop")) }
        try job.place.remove()
    }

    @Test(arguments: World.allCases) func theJobsOfGitLabEndAlike(_ world: World) async throws {
        let job = try await Job(world)
        let pipeline = try Project.yaml("\(Self.folder)/gitlab-ci.yaml")
        let plan = try await job.run(try #require(pipeline["plan"]?["script"]?[0]?.string))
        // 3 is a job that is allowed to fail.
        #expect(plan.status == (world == .unknown ? 3 : world.plan), "\(plan.output)\(plan.errors)")
        #expect(pipeline["plan"]?["allow_failure"]?["exit_codes"]?[0]?.int == 3)
        #expect(try job.place.read("plan.md").contains("### Plan for default/shop") == (world != .broken))
        let apply = try await job.run(try #require(pipeline["apply"]?["script"]?[0]?.string))
        #expect(apply.status == world.apply, "\(apply.output)\(apply.errors)")
        try job.place.remove()
    }

    private func script(of file: String, job: String, step: String) throws -> String {
        let steps = try Project.yaml("\(Self.folder)/\(file)")["jobs"]?[job]?["steps"]?.items ?? []
        return try #require(steps.first { $0["name"]?.string == step }?["run"]?.string)
    }

    /// A checkout with specs, and a `docker` that runs the program of this build instead of the image.
    private struct Job {
        let place: Place

        init(_ world: World) async throws {
            place = try Place()
            try FileManager.default.createDirectory(atPath: place.path("runner"), withIntermediateDirectories: true)
            let program = BuiltProgram.path(of: "reconcile")
            for (name, text) in [
                ("docker", "while [ \"$1\" != \"$BELAY_IMAGE\" ]; do shift; done; shift; exec '\(program)' \"$@\""),
                ("reconcile", "exec '\(program)' \"$@\""),
            ] {
                let path = try place.write("bin/\(name)", "#!/bin/sh\n\(text)\n")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            try place.write(
                "specs/shop.yaml",
                """
                apiVersion: belay.dev/v1alpha1
                kind: System
                metadata: {name: shop}
                spec:
                  state: {directory: ../state}
                  components:
                    host:
                      envFile: {path: ../host.env}
                      env: {MODE: fast}
                """)
            try place.write("host.env", world == .unknown || world == .broken ? "MODE=slow\n" : "MODE=fast\n")
            if world == .inSync || world == .pending {
                let ended = try await run("reconcile --once -f specs/", variables: ["GITHUB_STEP_SUMMARY": nil])
                try #require(ended.status == 0)
            }
            if world == .pending { try place.write("host.env", "MODE=slow\n") }
            if world == .broken { try place.write("specs/other.yaml", "kind: System\n") }
        }

        /// As the hosts run a step: by a shell that ends at the first command that fails.
        func run(_ script: String, variables: [String: String?] = [:]) async throws -> BuiltProgram.Ended {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let usual: [String: String?] = [
                "PATH": "\(place.path("bin")):\(path)", "BELAY_IMAGE": "registry.example.com/belay:0.1.0",
                "RUNNER_TEMP": place.path("runner"), "GITHUB_STEP_SUMMARY": place.path("summary.md"), "BELAY_KEY": nil,
            ]
            return try await BuiltProgram(onSearchPath: "bash").run(
                ["-e", "-o", "pipefail", "-c", script], variables: usual.merging(variables) { $1 }, in: place.root)
        }
    }
}
