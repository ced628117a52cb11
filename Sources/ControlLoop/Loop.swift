import Model
import ProviderKit
public import Sources
import State
import Synchronization

/// Passes over the systems of a source, for as long as it runs: when the source changes, when something is under way or failed, and now and
/// then in any case.
///
/// A system is worked on once at a time. A newer revision takes over between two steps. Never ends by itself: whatever fails is tried again.
public struct Loop: Sendable {
    public var reconciler: Reconciler
    public var source: any WatchedSource
    public var load: @Sendable (Snapshot) -> Loading
    public var pace: LoopPace
    /// For every pass; whether it is superseded is the loop's own business.
    public var options: PassOptions
    /// Between -1 and 1.
    public var jitter: @Sendable () -> Double
    /// Nil for a loop that works on all systems.
    public var duty: Duty?
    /// How it is reached from outside.
    public var line: LoopLine
    public var probe: LoopProbe

    public init(
        reconciler: Reconciler, source: any WatchedSource, pace: LoopPace = LoopPace(), options: PassOptions,
        jitter: @escaping @Sendable () -> Double = { .random(in: -1...1) }, duty: Duty? = nil, line: LoopLine = LoopLine(),
        probe: LoopProbe = LoopProbe(), load: @escaping @Sendable (Snapshot) -> Loading
    ) {
        self.reconciler = reconciler
        self.source = source
        self.load = load
        self.pace = pace
        self.options = options
        self.jitter = jitter
        self.duty = duty
        self.line = line
        self.probe = probe
    }

    /// Runs until `stop` is raised, and then until what is under way has ended; or until the task is cancelled, and then until the next safe
    /// point of everything. Locks are given back by then.
    ///
    /// - Parameter events: called in their order; must return at once. Those of passes come from several tasks.
    public func run(until stop: StopSignal, events: @escaping @Sendable (LoopEvent) -> Void) async {
        let time = Stopwatch(reconciler.clock)
        line.setRunning(true)
        defer { line.setRunning(false) }
        await withTaskGroup(of: LoopHappening.self) { group in
            var course = LoopCourse(loop: self, events: events)
            group.addTask {
                await stop.wait()
                return .stop
            }
            group.addTask { .read(await reading(of: source, after: nil)) }
            group.addTask { .told(await line.next()) }
            if duty != nil { group.addTask { await carryOut(.awaitDuty, events) } }
            var armed: Duration?
            while let happening = await group.next() {
                if case .tick(let due) = happening, armed == due { armed = nil }
                for work in course.take(happening, at: time.elapsed) { group.addTask { await carryOut(work, events) } }
                if course.isOver { break }
                // One sleeper for what is due next; one that is not needed any more wakes up to nothing.
                if let due = course.nextDue, armed.map({ due < $0 }) ?? true {
                    armed = due
                    let pause = due - time.elapsed
                    group.addTask { await sleep(pause, then: .tick(due)) }
                }
            }
            group.cancelAll()
        }
        events(.stopped)
    }

    private func carryOut(_ work: LoopWork, _ events: @escaping @Sendable (LoopEvent) -> Void) async -> LoopHappening {
        switch work {
        case .read: return .read(await reading(of: source, after: source))
        case .accept(let snapshot):
            await source.accept(snapshot)
            return .accepted
        case .listen: return .told(await line.next())
        case .cancelAfterGrace: return await sleep(pace.grace, then: .graceIsOver)
        case .awaitDuty:
            await duty?.change()
            return .duty
        case .pass(let wanted, let flag):
            var own = options
            own.isSuperseded = { flag.isRaised }
            let options = own
            let id = wanted.system.id
            let time = Stopwatch(reconciler.clock)
            let report = await cancellable(by: flag, otherwise: .interrupted(id)) {
                await AccountLimits.$party.withValue(id.description) {
                    await reconciler.pass(wanted.system, of: wanted.snapshot, from: source, options) { events(.execution(id, $0)) }
                }
            }
            probe.ended(report, time.elapsed)
            return .ended(report, flag.isRaised)
        case .letGo(let wanted, let leaving, let flag):
            let id = wanted.system.id
            let ended = await cancellable(by: flag, otherwise: LettingGo(id, problems: [.interrupted(id)])) {
                await reconciler.letGo(
                    of: wanted.system, ForgetOptions(leavesFence: leaving == .leavingFences, holder: options.holder, pace: options.pace))
            }
            return .letGo(ended)
        case .survey(let wanted):
            let id = wanted.system.id
            return .surveyed(id, await AccountLimits.$party.withValue(id.description) { await survey(wanted) })
        }
    }

    private func survey(_ wanted: WantedSystem) async -> Result<Survey, Problem> {
        do throws(StateError) {
            return .success(try await reconciler.survey(wanted.system, revision: wanted.snapshot.revision))
        } catch {
            return .failure(error.problem)
        }
    }

    private func reading(of source: any WatchedSource, after watched: (any WatchedSource)?) async -> Result<Holding, SourceError>? {
        do {
            try await watched?.change()
            let holding = try await source.holding()
            probe.read(holding.isUnread ? .failed : holding.troubles.isEmpty ? .ok : .kept)
            return .success(holding)
        } catch let error as SourceError {
            probe.read(.failed)
            return .failure(error)
        } catch {
            return nil  // Cancelled.
        }
    }

    private func sleep(_ pause: Duration, then happening: LoopHappening) async -> LoopHappening {
        do { try await reconciler.clock.sleep(for: pause) } catch { return .cancelled }
        return happening
    }

    /// Runs `work`, and cancels it when the flag says that the grace is over.
    private func cancellable<Report: Sendable>(
        by flag: PassFlag, otherwise fallback: Report, _ work: @escaping @Sendable () async -> Report
    ) async -> Report {
        await withTaskGroup(of: Report?.self) { group in
            group.addTask { await work() }
            group.addTask {
                await flag.cancellation.wait()
                return nil
            }
            var report = fallback
            for await ended in group {
                if let ended { report = ended }
                group.cancelAll()
            }
            return report
        }
    }
}

/// What is wanted of one system.
struct WantedSystem: Sendable {
    var system: System
    var snapshot: Snapshot
    /// The part of the source that it comes from.
    var origin: String

    /// True if both say the same of the system, in whatever revisions.
    func isSame(as other: WantedSystem) -> Bool {
        snapshot.holds(file, as: other.snapshot, other.file)
            && snapshot.holds(beside: system.filesRead, as: other.snapshot, other.system.filesRead)
            && snapshot.holds(system.repositoriesRead, as: other.snapshot)
    }

    /// True if there is nothing new to tell of the commits that its migrations come from.
    func tellsSame(as other: WantedSystem) -> Bool { snapshot.tells(system.repositoriesRead, as: other.snapshot) }

    /// The origin is `file:line:column`.
    private var file: String {
        system.origin.split(separator: ":", omittingEmptySubsequences: false).dropLast(2).joined(separator: ":")
    }
}

/// How a pass under way is told to end.
final class PassFlag: Sendable {
    private let raised = Atomic(false)
    /// Raised when it is to end at its next safe point.
    let cancellation = StopSignal()

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Begins no further step.
    func raise() { raised.store(true, ordering: .releasing) }
}

/// What a loop is told.
enum LoopHappening: Sendable {
    case read(Result<Holding, SourceError>?)
    case tick(Duration)
    /// The source knows what loads.
    case accepted
    /// A pass, and whether it had been told to begin no further step.
    case ended(PassReport, Bool)
    case surveyed(SystemID, Result<Survey, Problem>)
    case letGo(LettingGo)
    /// What was said on the line; nil when nobody listens any more.
    case told([LoopLine.Message]?)
    /// Other systems are to be worked on.
    case duty
    case stop
    case graceIsOver
    case cancelled
}

/// What a loop does then, each in a task.
enum LoopWork: Sendable {
    case read
    /// Tells the source that this loads.
    case accept(Snapshot)
    case listen
    case pass(WantedSystem, PassFlag)
    case survey(WantedSystem)
    case letGo(WantedSystem, Snapshot.Leaving, PassFlag)
    case cancelAfterGrace
    case awaitDuty
}
