public import ClusterSource
public import ControlLoop
import Execution
import JSONValues
public import KubernetesAPI
public import Model
import Sources

/// Writes into a cluster what a loop tells: the status of `System` objects, events about them, and their finalizer.
///
/// Of one object things are written in their order, of several side by side. A status is written when it says something else than the one
/// before. What the API server does not take is tried again; an object that is gone needs nothing any more.
public actor ClusterReporter {
    /// What is needed where objects are watched.
    public static let permissions = [
        ClusterPermission(.systems, [.systems], subresource: "status", ["patch"], "Writes the status of System objects."),
        ClusterPermission(
            .systems, [.systems], ["patch"],
            "Sets the finalizer belay.dev/fences of an object for which something must be undone before it goes, and takes it away."),
        ClusterPermission(
            .systems, [.events], ["create", "patch"], "Tells what happened to a system as events, and counts those that were told."),
    ]

    let client: KubernetesClient
    let objects: @Sendable (SystemID) async throws(KubernetesError) -> SystemObject?
    let survey: @Sendable (System, Revision) async -> Survey?
    let now: @Sendable () -> Timestamp
    let instance: String
    private let clock: any Clock<Duration>
    private let complain: @Sendable (String) -> Void
    let guards: Bool
    private nonisolated let notes: AsyncStream<Note>
    nonisolated let inbox: AsyncStream<Note>.Continuation
    var desks: [SystemID: Desk] = [:]
    /// At whose objects this process has set the finalizer.
    var held: Set<SystemID> = []
    /// What the revision that is told next moves nothing of.
    private var unmoved: Set<SystemID> = []
    private var complaints: Set<String> = []
    var book = EventBook()

    /// How many objects are written at once.
    private static let width = 8

    enum Note: Sendable {
        case event(LoopEvent)
        case hold(SystemID, Pledge)
        /// What it says is to be written again, if need be.
        case refresh(SystemID)
        /// With the pause until the next attempt where it failed.
        case done(SystemID, again: Duration?)
        /// After so many failures.
        case retry(SystemID, Int)
        case finish
    }

    /// - Parameters:
    ///   - guards: whether objects get a finalizer while something must be undone.
    ///   - instance: the name of the pod, for events.
    ///   - objects: what is known of an object; nil where there is none, and what is told of it is not written.
    ///   - survey: looks at a system once more; nil when it cannot.
    ///   - complain: told what cannot be written, once.
    public init(
        _ client: KubernetesClient, guards: Bool, instance: String, clock: any Clock<Duration>, now: @escaping @Sendable () -> Timestamp,
        objects: @escaping @Sendable (SystemID) async throws(KubernetesError) -> SystemObject?,
        survey: @escaping @Sendable (System, Revision) async -> Survey?, complain: @escaping @Sendable (String) -> Void
    ) {
        self.client = client
        self.guards = guards
        self.instance = instance
        self.clock = clock
        self.now = now
        self.objects = objects
        self.survey = survey
        self.complain = complain
        (notes, inbox) = AsyncStream.makeStream()
    }

    /// Returns at once; what it tells is written while ``run()`` is under way.
    public nonisolated func take(_ event: LoopEvent) { inbox.yield(.event(event)) }

    /// Writes the status of a system once more where its object does not say it: it was made anew, or somebody wrote there.
    public nonisolated func refresh(_ system: SystemID) { inbox.yield(.refresh(system)) }

    /// Tells an event about an object, at once.
    public func tell(_ reason: String, _ message: String, of object: SystemObject) async {
        do throws(KubernetesError) { try await send(Happening(reason, message, isWarning: true), of: object) } catch { note(error) }
    }

    /// Ends ``run()`` once everything is written that was taken before, or could not be written at the first attempt.
    public nonisolated func finish() { inbox.yield(.finish) }

    /// Writes until it is told to finish, or the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            var isFinishing = false
            for await note in notes {
                switch note {
                case .event(let event): enter(event)
                case .refresh(let system): add(.status({ $0.observedGeneration = $1 }), to: system)
                case .finish: isFinishing = true
                case .hold(let system, let pledge): hold(system, pledge)
                case .retry(let system, let failures):
                    if desks[system]?.isWaiting ?? false, desks[system]?.failures == failures { free(system) }
                case .done(let system, nil): free(system)
                case .done(let system, let pause?):
                    if isFinishing { desks[system] = nil }
                    guard let desk = desks[system] else { break }
                    if desk.jobs.contains(where: \.isHold) {
                        free(system)
                        break
                    }
                    desks[system]?.isWaiting = true
                    group.addTask { [clock, inbox] in
                        do { try await clock.sleep(for: pause) } catch { return }
                        inbox.yield(.retry(system, desk.failures))
                    }
                }
                for system in begin() {
                    group.addTask { [inbox] in inbox.yield(.done(system, again: await self.work(at: system))) }
                }
                if isFinishing, !desks.values.contains(where: { $0.isBusy || !$0.jobs.isEmpty }) { break }
            }
            group.cancelAll()
        }
    }

    /// The objects whose turn it is, which are busy from now on.
    private func begin() -> [SystemID] {
        let free = Self.width - desks.values.count { $0.isBusy }
        let next = desks.filter { !$0.value.isBusy && !$0.value.jobs.isEmpty }.keys.sorted().prefix(max(0, free))
        for system in next { desks[system]?.isBusy = true }
        return Array(next)
    }

    private func enter(_ event: LoopEvent) {
        if let (system, happening) = event.happening { add(.event(happening), to: system) }
        switch event {
        case .unmoved(_, let systems): unmoved = Set(systems)
        case .loaded(let revision, let systems, _):
            for system in systems {
                let isUnmoved = unmoved.contains(system)
                add(.status({ $0.load(revision, generation: revision.generation ?? $1, isUnmoved: isUnmoved) }), to: system)
            }
            unmoved = []
        case .rejected(let revision, let mistakes, let watched, let origin):
            let systems = watched.isEmpty ? SystemID(origin: origin).map { [$0] } ?? [] : watched
            let text = mistakes.joined(separator: "; ")
            for system in systems {
                let news = Happening("SpecInvalid", text, isWarning: true)
                add(.status({ $0.reject(mistakes, generation: revision.generation ?? $1) }, news: news), to: system)
            }
        case .unreadable(let error, let systems, _):
            for system in systems {
                let news = Happening("SourceUnreadable", error.message, isWarning: true)
                add(.status({ $0.reject([error.message], generation: $1, "SourceUnreadable") }, news: news), to: system)
            }
        case .execution(let system, .phaseEntered(let phase)):
            add(.status({ sheet, _ in sheet.enter(phase) }), to: system)
        case .passed(let report, _):
            let isTriedAgain = report.isTriedAgain
            add(.ended(report, isTriedAgain: isTriedAgain), to: report.system)
            if guards, let recorded = report.result?.state ?? report.survey?.recorded {
                add(.finalizer(isNeeded: recorded.owesAnything), to: report.system)
            }
        case .letGo(let ended, _):
            add(.status({ sheet, _ in sheet.letGo(ended) }), to: ended.system)
            if ended.problems.isEmpty { add(.finalizer(isNeeded: false), to: ended.system) }
        default: break
        }
    }

    private func add(_ job: Job, to system: SystemID) {
        var desk = desks.removeValue(forKey: system) ?? Desk()
        desk.jobs.append(job)
        // While the API server does not answer, only the newest end of a pass and the newest events are kept; the first may be under way.
        if desk.failures > 0 {
            let newest = desk.jobs.indices.last { desk.jobs[$0].isEnd }
            var events = desk.jobs.count { $0.isEvent } - 30
            var kept: [Job] = []
            for (index, job) in desk.jobs.enumerated() {
                if index > 0, job.isEnd, index != newest { continue }
                if index > 0, job.isEvent, events > 0 {
                    events -= 1
                    continue
                }
                kept.append(job)
            }
            desk.jobs = kept
        }
        desks[system] = desk
    }

    // MARK: - One object

    /// Does what is to be done about one object; returns the pause until the next attempt where something failed.
    private func work(at system: SystemID) async -> Duration? {
        let object: SystemObject
        do throws(KubernetesError) {
            guard let found = try await objects(system) else {
                desks[system]?.jobs = []
                return nil
            }
            object = found
        } catch {
            note(error)
            if [.notFound, .invalid, .badRequest].contains(error.code) {
                desks[system]?.jobs = []
                return nil
            }
            return failed(error, system)
        }
        if desks[system]?.uid != object.uid {
            // A mirror that was made anew shows the system that it showed before.
            if guards || desks[system]?.uid == nil { desks[system]?.sheet = StatusSheet(reading: object.status) }
            desks[system]?.uid = object.uid
            desks[system]?.written = object.status
        }
        while let job = takeHold(of: system) ?? desks[system]?.jobs.first {
            if case .hold(let pledge) = job {
                pledge.settle(await hold(object))
                continue
            }
            // What has waited for long is told as it is in the end.
            let isLate = (desks[system]?.failures ?? 0) > 0 && desks[system]?.jobs.dropFirst().contains { $0.isStatus } ?? false
            do throws(KubernetesError) {
                try await carryOut(job, object, writes: !isLate)
            } catch {
                if error.code == .notFound {
                    desks[system]?.jobs = []
                    return nil
                }
                note(error)
                // That nothing must be undone is found again by the next pass, and may not be so any more by the next attempt.
                let isOutdated = job.isRemoval && !object.isLeaving
                let isWorthwhile =
                    !isOutdated
                    && [.transport, .server, .rateLimited, .conflict, .unauthorized, .credentials, .forbidden].contains(error.code)
                if !isWorthwhile { desks[system]?.jobs.removeFirst() }
                return failed(error, system)
            }
            if desks[system]?.jobs.isEmpty == false { desks[system]?.jobs.removeFirst() }
        }
        desks[system]?.failures = 0
        return nil
    }

    /// Says it once.
    private func note(_ error: KubernetesError) {
        if complaints.insert(error.message).inserted { complain(error.description) }
    }

    /// The pause until the next attempt.
    private func failed(_ error: KubernetesError, _ system: SystemID) -> Duration {
        desks[system]?.failures += 1
        let pause = Duration.seconds(min(1 << min((desks[system]?.failures ?? 1) - 1, 5), 30))
        return max(error.retryAfter ?? .zero, pause)
    }

    private func carryOut(_ job: Job, _ object: SystemObject, writes: Bool) async throws(KubernetesError) {
        switch job {
        case .status(let change, let news):
            var sheet = desks[object.id]?.sheet ?? StatusSheet()
            change(&sheet, object.generation)
            desks[object.id]?.sheet = sheet
            let before = desks[object.id]?.written
            let isNews = sheet.json(after: before, at: now()) != before
            if writes { try await write(sheet, of: object) }
            // Behind this one, which has ended.
            if let news, isNews, let count = desks[object.id]?.jobs.count { desks[object.id]?.jobs.insert(.event(news), at: min(1, count)) }
        case .ended(let report, let isTriedAgain):
            var seen = report.survey
            // What the pass did was not seen by its survey.
            if writes, let survey = report.survey, report.result?.steps.contains(where: { $0.step.action.isWrite }) ?? false {
                seen = await self.survey(survey.system, survey.revision) ?? seen
            }
            var sheet = desks[object.id]?.sheet ?? StatusSheet()
            sheet.end(report, seen, isTriedAgain: isTriedAgain)
            desks[object.id]?.sheet = sheet
            if writes { try await write(sheet, of: object) }
        case .event(let happening): try await send(happening, of: object)
        case .finalizer(let isNeeded): try await setFinalizer(isNeeded, of: object)
        case .hold(let pledge): pledge.settle(await hold(object))
        }
    }

    private func write(_ sheet: StatusSheet, of object: SystemObject) async throws(KubernetesError) {
        let before = desks[object.id]?.written
        let status = sheet.json(after: before, at: now())
        guard status != before else { return }
        var patch = status
        for key in before?.object?.keys ?? [] where status[key] == nil { patch[key] = .null }
        // Of that very object: one that was made anew under the same name has a story of its own.
        let body: JSON = ["metadata": ["uid": .string(object.uid)], "status": patch]
        _ = try await client.patch(
            .systems, namespace: object.id.namespace, name: object.id.name, subresource: "status", .merge(body))
        desks[object.id]?.written = status
    }
}

extension PassReport {
    /// True if another pass is due before the resync.
    var isTriedAgain: Bool { again != nil || problems.contains { $0.reason == "Locked" } }
}
