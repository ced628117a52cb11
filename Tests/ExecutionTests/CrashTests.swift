import Execution
import FoundationEssentials
import HTTPCore
import Model
import Planning
import ProviderKit
import State
import Synchronization
import TestDoubles
import Testing

/// The process dies at every boundary: before and after each durable entry, and before and after the effect of each write.
/// From then on nothing that it does reaches the world or the journal.
struct CrashTests {
    /// How quickly the provider shows an operation that it has accepted, and whether it answers.
    struct Scenario: Sendable, CustomTestStringConvertible {
        var name: String
        var lag = 0
        var losesAnswers = false
        var testDescription: String { name }
    }

    static let scenarios = [
        Scenario(name: "a provider that shows at once what it accepted"),
        Scenario(name: "a provider that shows it late", lag: 3),
        Scenario(name: "a provider whose answers are lost", losesAnswers: true),
        Scenario(name: "both", lag: 3, losesAnswers: true),
    ]

    @Test(arguments: scenarios)
    func theNextPassesEndInTheSameWorldAndNothingIsDoneTwice(scenario: Scenario) async throws {
        let clean = try await life(scenario, dyingAt: nil)
        #expect(clean.isConverged)
        #expect(clean.boundaries >= 20)
        for boundary in 1...clean.boundaries {
            let life = try await life(scenario, dyingAt: boundary)
            #expect(life.isConverged, "died at boundary \(boundary)")
            #expect(life.effects == clean.effects, "died at boundary \(boundary)")
            #expect(life.declared == clean.declared, "died at boundary \(boundary)")
            #expect(life.remembered == clean.remembered, "died at boundary \(boundary)")
        }
    }

    private struct Life {
        var isConverged: Bool
        var boundaries: Int
        var effects: [Int]
        var declared: [String?]
        var remembered: [String]
    }

    private let system = System.make(
        .make("api", "v3", verify: [.make()]), .make("web", "v2", after: [.component("api")], verify: [.make()]), verify: [.make()])

    private func life(_ scenario: Scenario, dyingAt boundary: Int?) async throws -> Life {
        let folder = FileManager.default.temporaryDirectory.path + "/belay-crash-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let time = VirtualTime()
        let world = FakeWorld(
            ["api": .init(lag: scenario.lag), "web": .init(lag: scenario.lag)], now: { time.now.offset },
            answer: { _, _, _ in scenario.losesAnswers ? .lost(takesEffect: true) : .accepted })
        var deaths = Death(at: boundary)
        let first = deaths
        var verdict: PassResult.Verdict?
        var state = RecordedState()
        for _ in 0..<6 where verdict != .converged {
            let store = DirectoryStateStore(StateDirectory(root: folder, system: system.id))
            (verdict, state) = try await pass(store, world, time, deaths)
            deaths = Death(at: nil)
        }
        let names = system.components.map(\.name)
        return Life(
            isConverged: verdict == .converged && state.transition == nil && state.openIntents.isEmpty, boundaries: first.count,
            effects: names.map { world[$0].effects.count }, declared: names.map { world[$0].declared },
            remembered: names.map { name in
                let records = state.releases[.component(name)] ?? []
                return "\(name): \(records.map { "\($0.resolution.label) \($0.quality.rawValue)" }), \(state.obligationsLeft)"
            })
    }

    private func pass(
        _ store: DirectoryStateStore, _ world: FakeWorld, _ time: VirtualTime, _ death: Death
    ) async throws -> (PassResult.Verdict, RecordedState) {
        let holder = LockHolder(user: "ann", host: "h", boot: "b", pid: 1, command: "test", since: .example)
        let inner = try await store.lock(holder, patience: .seconds(5), clock: ContinuousClock())
        let session = MortalSession(inner: inner, death: death, time: time)
        let provider = AnyProvider(MortalProvider(inner: world, death: death))
        let result = await time.run { [system] in
            var observed = World()
            for component in system.components {
                let request = ObservationRequest(component, recorded: await session.state)
                observed.components[component.id] = await provider.observe(component, request)
            }
            do {
                let recorded = try await session.settleIntents(in: observed, at: .example)
                let executor = Executor(
                    providers: ["fake": provider], transport: FakeTransport(), clock: time, now: { .example })
                return await executor.run(
                    plan(system, revision: .example, observed: observed, recorded: recorded), system: system, in: session
                ).verdict
            } catch {
                return PassResult.Verdict.failed
            }
        }
        let state = await inner.state
        await inner.release()
        return (result, state)
    }
}

extension RecordedState {
    fileprivate var obligationsLeft: Int { transition?.obligations.count ?? 0 }
}

/// The process's end, at the boundary with a number.
final class Death: Sendable {
    private let state = Mutex((count: 0, isDead: false))
    private let boundary: Int?

    init(at boundary: Int?) { self.boundary = boundary }

    var count: Int { state.withLock { $0.count } }

    /// Passes a boundary; false from the fatal one on.
    func survives() -> Bool {
        state.withLock { state in
            state.count += 1
            if state.count == boundary { state.isDead = true }
            return !state.isDead
        }
    }
}

struct MortalSession: StateSession {
    var inner: any StateSession
    var death: Death
    var time: VirtualTime
    private let dead = StateError(.failed, "the process is dead")

    init(inner: any StateSession, death: Death, time: VirtualTime) {
        self.inner = inner
        self.death = death
        self.time = time
    }

    var state: RecordedState { get async { await time.outside { await inner.state } } }
    var lease: Duration { inner.lease }

    func append(_ entry: JournalEntry, at moment: Timestamp) async throws(StateError) {
        guard death.survives() else { throw dead }
        try await time.outside { () throws(StateError) in try await inner.append(entry, at: moment) }
        guard death.survives() else { throw dead }
    }

    func renew() async throws(StateError) {}
    func release() async {}
}

struct MortalProvider<Inner: Provider>: Provider where Inner.Target == FakeTarget {
    typealias Target = FakeTarget
    var inner: Inner
    var death: Death
    private let dead = ApplyResult.unknown(Problem("Dead", "the process is dead"))

    init(inner: Inner, death: Death) {
        self.inner = inner
        self.death = death
    }

    func observe(_ target: FakeTarget, _ request: ObservationRequest) async -> Observation { await inner.observe(target, request) }

    func apply(_ change: ReleaseChange, to target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        guard death.survives() else { return dead }
        let result = await inner.apply(change, to: target, request)
        return death.survives() ? result : dead
    }

    func stop(_ target: FakeTarget, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        guard death.survives() else { return dead }
        let result = await inner.stop(target, as: stop, request)
        return death.survives() ? result : dead
    }

    func setAutomation(_ change: FenceChange, of target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        guard death.survives() else { return dead }
        let result = await inner.setAutomation(change, of: target, request)
        return death.survives() ? result : dead
    }
}
