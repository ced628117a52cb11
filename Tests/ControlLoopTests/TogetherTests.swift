import ControlLoop
import HTTPCore
import Model
import ProviderKit
import Sources
import State
import Synchronization
import TestDoubles
import Testing

/// A pass asks each provider for all of its components at once.
@Suite struct TogetherTests {
    /// Says of each what it was asked, and counts how many it was asked for at once.
    private final class Lister: Provider {
        let asked = Log<[String]>()

        func observe(_ target: FakeTarget, _ request: ObservationRequest) async -> Observation { Self.seen(target, request) }

        func observe(all questions: [ObservationQuestion<FakeTarget>]) async -> [Observation] {
            asked.append(questions.map(\.request.component))
            return questions.map { Self.seen($0.target, $0.request) }
        }

        func apply(_ change: ReleaseChange, to target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult { .alreadySo }

        private static func seen(_ target: FakeTarget, _ request: ObservationRequest) -> Observation {
            Observation(
                live: .release(declared: .fake("v1"), serving: [.fake("v1")]), settlement: .settled,
                candidates: [Candidate(.fake("v1"), routes: [])], notes: ["\(request.component) at \(target.identity)"])
        }
    }

    private static func component(_ name: String) -> Component {
        Component(name: name, target: FakeTarget(identity: "place-\(name)"), release: .name("v1"))
    }

    @Test func whatFailsForOneProviderIsUnknownOfItsComponentsAlone() async throws {
        let lister = Lister()
        let stage = try Stage()
        let docs = Component(name: "docs", target: BarredTarget(identity: "docs"), release: .name("v1"))
        let system = System.make(Self.component("web"), docs, Self.component("api"), Self.component("worker"))
        let world = try await reconciler(lister, on: stage).survey(system, revision: .example).world
        #expect(lister.asked.all == [["web", "api", "worker"]])
        for name in ["web", "api", "worker"] {
            #expect(world.components[.component(name)]?.notes == ["\(name) at place-\(name)"])
        }
        #expect(world.components[docs.id]?.live.problem == .tokenMissing)
    }

    @Test func oneComponentIsAskedForByItself() async throws {
        let lister = Lister()
        let stage = try Stage()
        let world = try await reconciler(lister, on: stage).survey(System.make(Self.component("web")), revision: .example).world
        #expect(lister.asked.all.isEmpty)
        #expect(world.components[.component("web")]?.notes == ["web at place-web"])
    }

    private func reconciler(_ lister: Lister, on stage: Stage) -> Reconciler {
        var reconciler = stage.reconciler
        reconciler.providers = ProviderRegistry(
            [
                ProviderRegistration(Lister.self, doc: "", secretVariables: []) { _ in .success(lister) },
                ProviderRegistration(BarredProvider.self, doc: "", secretVariables: []) { _ in .failure(.tokenMissing) },
            ], environment: ProviderEnvironment(variables: [:], transport: FakeTransport(), now: { .example }))
        return reconciler
    }
}
