public import HTTPCore
public import Model
public import ProviderKit
public import State

/// Carries out plans: phase by phase, the steps of a phase side by side unless one waits for another.
///
/// Keeps nothing between passes, and nothing in one that is not in the journal first: killed at any instruction, the next pass goes
/// on from what it observes. Retries nothing but one throttled write; the rest is the next pass's.
public struct Executor: Sendable {
    let providers: [String: AnyProvider]
    private let transport: any Transport
    let clock: any Clock<Duration>
    let now: @Sendable () -> Timestamp
    let pace: Pace
    let newID: @Sendable () -> String
    private let isSuperseded: @Sendable () async -> Bool
    private let promise: @Sendable () async -> Problem?
    private let events: @Sendable (ExecutionEvent) -> Void

    /// - Parameters:
    ///   - providers: by the name that targets carry.
    ///   - transport: for checks.
    ///   - now: for the records, for people.
    ///   - newID: unique among all passes of all systems.
    ///   - isSuperseded: asked before every step: true as soon as a newer revision is there.
    ///   - promise: asked before the first thing is done that has to be undone before nobody looks after the system any more: why it may not be
    ///     done, or nil.
    ///   - events: called in the order of the events, from several tasks; must return at once.
    public init(
        providers: [String: AnyProvider], transport: any Transport, clock: any Clock<Duration>,
        now: @escaping @Sendable () -> Timestamp, pace: Pace = Pace(), newID: @escaping @Sendable () -> String = Self.randomID,
        isSuperseded: @escaping @Sendable () async -> Bool = { false }, promise: @escaping @Sendable () async -> Problem? = { nil },
        events: @escaping @Sendable (ExecutionEvent) -> Void = { _ in }
    ) {
        self.providers = providers
        self.transport = transport
        self.clock = clock
        self.now = now
        self.pace = pace
        self.newID = newID
        self.isSuperseded = isSuperseded
        self.promise = promise
        self.events = events
    }

    /// 26 letters and digits, of 128 random bits.
    public static let randomID: @Sendable () -> String = {
        let digits = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
        return digits.map { String(repeating: "0", count: 13 - $0.count) + $0 }.joined()
    }

    /// Carries the plan out. Never throws: what fails is an outcome, and what depends on it is skipped.
    ///
    /// Cancelling the task ends it at the next safe point; a write that is being sent then becomes one with an unknown outcome.
    ///
    /// - Parameters:
    ///   - configurations: what each component's configuration must be; without an entry, it is not managed.
    ///   - keeper: makes of the settings what may be recorded with a release.
    ///   - stores: what moves schemas and sets flags.
    public func run(
        _ plan: Plan, system: System, configurations: [ResourceID: DesiredConfiguration] = [:], keeper: ConfigurationKeeper = .none,
        stores: SystemStores = SystemStores(), in session: any StateSession
    ) async -> PassResult {
        let time = PassTime(clock)
        let runner = StepRunner(
            plan: plan, system: system, session: session, providers: providers, configurations: configurations, keeper: keeper,
            stores: stores, checks: CheckRunner(transport: transport, time: time, pace: pace), time: time, pace: pace, now: now,
            newID: newID, report: events, promise: promise)
        var schedule = Schedule(plan)
        for phase in Phase.allCases where !plan.steps(in: phase).isEmpty {
            events(.phaseEntered(phase))
            // No phase ends before the longest of its steps may.
            let limit = plan.steps(in: phase).reduce(pace.phase) { max($0, $1.deadline) }
            await run(phase, within: limit, of: &schedule, by: runner, time)
        }
        return PassResult(plan, schedule.outcomes, state: await session.state)
    }

    private func run(_ phase: Phase, within limit: Duration, of schedule: inout Schedule, by runner: StepRunner, _ time: PassTime) async {
        let end = time.elapsed + limit
        await withTaskGroup(of: (Step, Outcome).self) { group in
            while true {
                for step in schedule.takeReady(in: phase) {
                    if let outcome = await reasonNotToBegin(phase, limit, left: end - time.elapsed) {
                        schedule.end(step.id, outcome)
                        continue
                    }
                    events(.stepStarted(step))
                    group.addTask { (step, await runner.run(step, phaseEnd: end)) }
                }
                tellOfUnbegun(&schedule)
                guard let (step, outcome) = await group.next() else { break }
                schedule.end(step.id, outcome)
                events(.stepEnded(step, outcome))
            }
        }
        schedule.skipRest(of: phase)
        tellOfUnbegun(&schedule)
    }

    private func reasonNotToBegin(_ phase: Phase, _ limit: Duration, left: Duration) async -> Outcome? {
        if Task.isCancelled { return .skipped("the pass was interrupted") }
        if left <= .zero { return .skipped("the phase \(phase.rawValue) has taken its \(limit)") }
        return await isSuperseded() ? .superseded : nil
    }

    private func tellOfUnbegun(_ schedule: inout Schedule) {
        for (step, outcome) in schedule.takeUnbegun() { events(.stepEnded(step, outcome)) }
    }
}
