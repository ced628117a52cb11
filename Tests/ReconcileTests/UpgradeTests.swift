import FoundationEssentials
import HTTPCore
import SandboxServer
import TestPrograms
import Testing

/// What an earlier release left behind in the middle of its work is gone on with.
///
/// `Journals/amid-a-rollback.jsonl` was written by the program of c02bba8, killed after it had switched Vercel's automation off and rolled the
/// front end back, and before the back end had begun.
@Suite(.timeLimit(.minutes(2))) struct UpgradeTests {
    /// The world as that program left it.
    private static let world = SandboxedSystem.world.replacing(
        "production: dpl_web3", with: "production: dpl_web2\n      autoAssign: false")

    @Test func aRollbackThatTheReleaseBeforeBeganIsFinishedAndNothingIsRepeated() async throws {
        try await SandboxedSystem.with(world: Self.world, git: false) { system in
            try Self.restore("amid-a-rollback", into: system)
            let ended = try await system.reconcile("--once", "-f", system.specs)
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.map(\.method) == [.patch], "the back end alone was left: \(ended.output)")
            #expect(ended.output.contains("converged"), "\(ended.output)")
            let journal = try String(contentsOf: URL(filePath: system.statePath("journal.jsonl")), encoding: .utf8)
            #expect(journal.contains("\"kind\":\"closed\""))
            let again = try await system.reconcile("--once", "-f", system.specs)
            #expect(again.status == 0 && again.output.contains("in sync"), "\(again.output)\(again.errors)")
        }
    }

    private static func restore(_ name: String, into system: SandboxedSystem) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Journals")
        let spec = try String(contentsOf: folder.appending(path: "\(name).yaml"), encoding: .utf8)
        let journal = try Data(contentsOf: folder.appending(path: "\(name).jsonl"))
        try system.place.write("specs/system.yaml", spec)
        let state = URL(filePath: "\(system.state)/belay/default.shop")
        try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
        try journal.write(to: state.appending(path: "journal.jsonl"))
    }
}
