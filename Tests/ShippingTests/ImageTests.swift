import FoundationEssentials
import TestPrograms
import Testing

/// The Dockerfile, as far as it can be tried without an engine.
@Suite struct ImageTests {
    private let dockerfile: String

    init() throws { dockerfile = try Project.text("Dockerfile") }

    /// The packages that a stage installs.
    private func packages(_ stage: Int) throws -> Set<String> {
        let stages = dockerfile.split(separator: "\nFROM ", omittingEmptySubsequences: false)
        let list = try Project.part(of: String(stages[stage]), after: "--no-install-recommends", before: "&&")
        return Set(list.split { $0.isWhitespace || $0 == "\\" }.map(String.init))
    }

    @Test func whatTheBuildInstallsIsWhatThePackageNames() throws {
        let manifest = try Project.text("Package.swift")
        let named = manifest.split(separator: ".apt([\"").dropFirst().compactMap { $0.split(separator: "\"").first.map(String.init) }
        #expect(named.count == 5)
        let installed = try packages(1)
        #expect(installed == Set(named + ["pkg-config"]))
        let setup = try Project.part(of: try Project.text(".ci/setup"), after: "packages=(", before: ")").split(separator: " ")
        #expect(Set(named).isSubset(of: Set(setup.map(String.init))))
    }

    /// Swift's own libraries are linked statically into the image's program; everything else comes from packages.
    @Test(.enabled(if: Tool(name: "dpkg-query").isThere, "needs Debian"))
    func theLibrariesThatTheProgramNeedsAreInstalledAndNoOthers() async throws {
        let linked = try await Tool(name: "ldd").output([BuiltProgram.path(of: "reconcile")])
        let needed = try await Tool(name: "readelf").output(["--dynamic", "--wide", BuiltProgram.path(of: "reconcile")])
        var owners: Set<String> = ["libgcc-s1", "libstdc++6"]  // Swift's runtime needs both; here its own libraries do, there the program.
        for line in needed.split(separator: "\n") where line.contains("(NEEDED)") {
            let name = try Project.part(of: String(line), after: "[", before: "]")
            let line = linked.split(separator: "\n").first { $0.contains("\(name) => ") }
            guard let path = line?.split(separator: " ").dropFirst(2).first, !path.contains("/swift/") else { continue }
            owners.insert(try await Self.owner(of: String(path)))
        }
        let installed = try packages(2).filter { $0.hasPrefix("lib") }
        #expect(installed == owners.subtracting(["libc6"]))
    }

    /// The package of a library; Debian's list may have it without the `/usr` that leads to it.
    private static func owner(of path: String) async throws -> String {
        for candidate in [path, "/usr" + path] {
            let ended = try await Tool(name: "dpkg-query").run(["--search", candidate])
            if ended.status == 0, let owner = ended.output.split(separator: ":").first { return String(owner) }
        }
        throw NoOwner(path: path)
    }

    private struct NoOwner: Error { var path: String }

    @Test func thereAreTheProgramsThatTheProgramRuns() throws {
        let programs = ["git": "git", "openssh-client": "ssh", "postgresql-client-15": "pg_dump", "ca-certificates": "TLS"]
        let installed = try packages(2).filter { !$0.hasPrefix("lib") }
        #expect(installed == Set(programs.keys))
    }

    @Test func itRunsAsNobodyInParticularAndEndsBySIGTERM() {
        for line in [
            "USER 65532:65532", "STOPSIGNAL SIGTERM", "ENTRYPOINT [\"/usr/local/bin/reconcile\"]", "VOLUME [\"/var/lib/belay\"]",
            "FROM ${SWIFT_IMAGE} AS build", "FROM debian:bookworm-slim",
        ] {
            #expect(dockerfile.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!dockerfile.contains("ADD "))
    }

    /// SwiftPM refuses a package with a target whose folder is not there.
    @Test func theContextHoldsEveryFolderThatThePackageNames() throws {
        let ignored = try Project.text(".dockerignore").split(separator: "\n")
        let kept = ignored.filter { $0.hasPrefix("!") }.map { $0.dropFirst() }
        #expect(ignored.contains("*"))
        let manifest = try Project.text("Package.swift")
        let paths = manifest.split(separator: "path: \"").dropFirst().compactMap { $0.split(separator: "\"").first }
        #expect(paths.count > 10)
        for path in paths { #expect(kept.contains { path == $0 || path.hasPrefix("\($0)/") }, "\(path)") }
        #expect(kept.contains("Sources") && kept.contains("Tests") && kept.contains("Package.swift"))
    }

    @Test(.enabled(if: Tool.hadolint.isThere, Tool.hadolint.need)) func hadolintFindsNothing() async throws {
        let ended = try await Tool.hadolint.run(["--failure-threshold", "style", "Dockerfile"])
        #expect(ended.status == 0 && ended.output.isEmpty, "\(ended.output)\(ended.errors)")
    }
}
