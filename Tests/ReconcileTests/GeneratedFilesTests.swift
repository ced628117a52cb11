import FoundationEssentials
import TestPrograms
import Testing

/// What is made from the declarations is committed, and the same.
@Suite struct GeneratedFilesTests {
    /// Three folders above this file.
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    @Test func theCommittedFilesAreWhatTheDeclarationsSay() async throws {
        let ended = try await BuiltProgram("reconcile").run(["generate", "--output", Self.root, "--check"])
        #expect(ended.status == 0, "\(ended.errors)")
        let listed = try await BuiltProgram("reconcile").run(["generate"])
        let names = Set(listed.output.split(separator: "\n").map(String.init))
        for name in [
            "docs/reference.md", "docs/system.schema.json", "manifests/crd/systems.belay.dev.yaml", "manifests/rbac/targets.yaml",
            "charts/belay/values.schema.json",
        ] {
            #expect(names.contains(name), "\(name)")
        }
    }

    @Test func aFileThatDiffersIsNamed() async throws {
        let place = try Place()
        let written = try await BuiltProgram("reconcile").run(["generate", "--output", place.root])
        #expect(written.status == 0)
        let listed = try await BuiltProgram("reconcile").run(["generate"])
        #expect(
            written.output.split(separator: "\n").map { $0.hasPrefix("wrote ") } == listed.output.split(separator: "\n").map { _ in true })
        try place.write("docs/reference.md", "edited by hand")
        let ended = try await BuiltProgram("reconcile").run(["generate", "--output", place.root, "--check"])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("docs/reference.md: differs from what the declarations say"))
        try place.remove()
    }

    @Test(arguments: ["manifests/samples", "docs/demo/system.yaml"])
    func everyExampleLoads(path: String) async throws {
        let ended = try await BuiltProgram("reconcile").run(["validate", "-f", Self.root + "/" + path])
        #expect(ended.status == 0, "\(ended.output)")
    }
}
