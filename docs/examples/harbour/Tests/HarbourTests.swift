import FoundationEssentials
import HTTPCore
import HarbourProvider
import HarbourSimulator
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import SpecFields
import SpecLoading
import Testing

/// What only Harbour does.
struct HarbourTests {
    @Test func theSampleLoads() throws {
        let bytes = try #require(FileManager.default.contents(atPath: Guide.root + "/docs/examples/harbour/harbour.yaml"))
        let loaded = SpecLoader(targets: [HarbourProvider.registration.targetKind]).load([
            SourceFile(name: "harbour.yaml", bytes: Array(bytes))
        ])
        #expect(loaded.diagnostics.isEmpty)
        #expect(loaded.systems.first?.components.first?.target as? HarbourTarget == HarbourTarget(service: "web"))
    }

    @Test func aReleaseThatFailedEndsItsIntent() async throws {
        let (world, harbour) = try HarbourFixture.make()
        harbour.change { $0.failsReleases = true }
        let (change, intent) = try world.change(after: await world.observe())
        _ = await world.apply(change, intent)
        world.clock.advance(by: world.settling)
        let observation = await world.observe(intent: intent)
        #expect(observation.fate == .failed(Problem("ReleaseFailed", "harbour/web: the release of v1.41.3 (rel_2) failed")))
        #expect(observation.live.declared?.label == "v1.42.0 (rel_3)")
        #expect(observation.settlement == .settled)
    }

    @Test func aReleaseWhoseImageIsDeletedIsGone() async throws {
        let (world, harbour) = try HarbourFixture.make()
        harbour.change { $0.prune("rel_2") }
        let candidate = await world.observe().candidates.first { $0.release.label == "v1.41.3 (rel_2)" }
        #expect(candidate?.routes == [])
        #expect(candidate?.gone?.message == "harbour/web: Harbour has deleted the image of v1.41.3 (rel_2)")
    }

    @Test func somebodysReleaseUnderWayIsTold() async throws {
        let (world, _) = try HarbourFixture.make()
        let (change, intent) = try world.change(after: await world.observe())
        _ = await world.apply(change, intent)
        #expect(await world.observe().operation?.summary == "release of v1.41.3 (rel_2) by an API token")
        let second = await world.apply(change, intent)
        #expect(
            second
                == .refused(Problem("Conflict", "harbour/web: 409 while releasing rel_2: another release is under way")))
    }

    @Test func withoutATokenItSaysWhatToSet() {
        let environment = ProviderEnvironment(
            variables: [:], transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) })
        guard case .failure(let problem) = HarbourProvider.connect(environment) else {
            Issue.record("it connected")
            return
        }
        #expect(problem.message == "harbour: HARBOUR_TOKEN is not set")
    }
}
