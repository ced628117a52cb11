import Model
import Planning
import ProviderKit
import TestDoubles
import Testing

@testable import ControlLoop

struct ThrottledTests {
    @Test func whoeverThrottlesWithoutAWaitIsAskedAgainWithGrowingPausesAndLeftAfterFive() async throws {
        let stage = try Stage(answer: { _, _, _ in .without(.throttled(Problem("RateLimited", "fake/web: 429 while writing"))) })
        try await stage.accept()
        let report = await stage.reconcile()
        #expect(stage.world["web"].writes.count == 5)
        #expect(report.verdict == .failure)
        #expect(report.problems.map(\.reason) == ["RateLimited"])
    }
}
