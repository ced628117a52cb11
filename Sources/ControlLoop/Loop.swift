import Model
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

    public init(
        reconciler: Reconciler, source: any WatchedSource, pace: LoopPace = LoopPace(), options: PassOptions,
        jitter: @escaping @Sendable () -> Double = { .random(in: -1...1) }, load: @escaping @Sendable (Snapshot) -> Loading
    ) {
        self.reconciler = reconciler
        self.source = source
        self.load = load
        self.pace = pace
        self.options = options
        self.jitter = jitter
    }

    /// Runs until `stop` is raised, and then until what is under way has ended; or until the task is cancelled, and then until the next safe
    /// point of everything. Locks are given back by then.
    ///
    /// - Parameter events: called in their order; must return at once. Those of passes come from several tasks.
    public func run(until stop: StopSignal, events: @escaping @Sendable (LoopEvent) -> Void) async {
        let time = Stopwatch(reconciler.clock)
        await withTaskGroup(of: LoopHappening.self) { group in
            var course = LoopCourse(loop: self, events: events)
            group.addTask {
                await stop.wait()
                return .stop
            }
            group.addTask { .read(await reading(of: source, after: nil)) }
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
        case .cancelAfterGrace: return await sleep(pace.grace, then: .graceIsOver)
        case .awaitDuty:
            await duty?.change()
            return .duty
        case .pass(let wanted, let flag):
            var own = options
            own.isSuperseded = { flag.isRaised }
            let options = own
            let id = wanted.system.id
            let report = await cancellable(by: flag, otherwise: .interrupted(id)) {
                await reconciler.pass(wanted.system, of: wanted.snapshot, from: source, options) { events(.execution(id, $0)) }
            }
            return .ended(report, flag.isRaised)
        case .survey(let wanted):
            do throws(StateError) {
                let survey = try await reconciler.survey(wanted.system, revision: wanted.snapshot.revision)
                return .surveyed(wanted.system.id, .success(survey))
            } catch {
                return .surveyed(wanted.system.id, .failure(error.problem))
            }
        }
    }

    private func reading(of source: any WatchedSource, after watched: (any WatchedSource)?) async -> Result<Holding, SourceError>? {
        do {
            try await watched?.change()
            return .success(try await source.holding())
        } catch let error as SourceError {
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
    private func cancellable(
        by flag: PassFlag, otherwise fallback: PassReport, _ work: @escaping @Sendable () async -> PassReport
    ) async -> PassReport {
        await withTaskGroup(of: PassReport?.self) { group in
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
    }

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
    /// A pass, and whether it had been told to begin no further step.
    case ended(PassReport, Bool)
    case surveyed(SystemID, Result<Survey, Problem>)
    /// Other systems are to be worked on.
    case duty
    case stop
    case graceIsOver
    case cancelled
}

/// What a loop does then, each in a task.
enum LoopWork: Sendable {
    case read
    case pass(WantedSystem, PassFlag)
    case survey(WantedSystem)
    case cancelAfterGrace
    case awaitDuty
}
