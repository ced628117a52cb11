import AllProviders
import ConfigurationValues
import ControlLoop
import Execution
import Model
import Planning
import ProviderKit
import Sources
import State
import Synchronization
import TestDoubles
import TestPrograms

/// A pod with the real loop in it, started again after each of its ends.
final class Replica: Sendable {
    let name: String
    private let soak: Soak
    private let dice: Dice
    private let clone: Clone
    private let current = Mutex<(life: Life, stop: StopSignal)?>(nil)
    private let isOver = Mutex(false)

    init(_ name: String, of soak: Soak) {
        self.name = name
        self.soak = soak
        dice = Dice(seed: soak.seed, part: "replica \(name)")
        clone = Clone(soak.repository, soak.time, Dice(seed: soak.seed, part: "clone \(name)"))
    }

    /// The one that runs; nil between two.
    var life: Life? { current.withLock { $0?.life } }

    /// Ends it as SIGTERM does.
    func terminate() { current.withLock { $0?.stop.raise() } }

    /// Ends it for good.
    func finish() {
        isOver.withLock { $0 = true }
        terminate()
    }

    func run() async {
        var number = 0
        while !isOver.withLock({ $0 }) {
            number += 1
            let (life, stop) = (Life("\(name)\(number)"), StopSignal())
            let loop = loop(life, number)
            current.withLock { $0 = (life, stop) }
            soak.story.tell("\(life.name) starts")
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in await loop.run(until: stop) { [self] in note($0, of: life) } }
                group.addTask { await life.waitForKill() }
                await group.next()
                group.cancelAll()
            }
            soak.story.tell("\(life.name) \(life.hasEnded ? "was killed" : "has stopped")")
            current.withLock { $0 = nil }
            guard !isOver.withLock({ $0 }) else { return }
            do { try await soak.time.sleep(for: dice.chance(15) ? dice.seconds(60...400) : dice.seconds(1...20)) } catch { return }
        }
    }

    /// As a process has it: nothing is kept from one life to the next but the state directory and the clone.
    private func loop(_ life: Life, _ number: Int) -> Loop {
        let (time, exclusion, mutation) = (soak.time, soak.exclusion, soak.mutation)
        // Locks of two places keep nobody out.
        let root = mutation == .isUnfenced && name == "b" ? "\(soak.root)/\(name)" : soak.root
        let transport = LifeTransport(network: soak.network, life: life, mutation: soak.mutation)
        let now: @Sendable () -> Timestamp = { Timestamp(millisecondsSinceEpoch: SoakClock(time: time).milliseconds) }
        let variables = Vendors.variables(kubeconfig: soak.kubeconfig)
        let reconciler = Reconciler(
            providers: ProviderRegistry(
                allProviders, environment: ProviderEnvironment(variables: variables, transport: transport, now: now, clock: time)),
            store: { system in
                SoakStore(
                    inner: DirectoryStateStore(StateDirectory(root: root, system: system.id)), system: system.id, life: life, time: time,
                    exclusion: exclusion, mutation: mutation)
            }, values: ConfigurationReader(variables: variables), transport: transport, clock: time, now: now)
        // Each on a host of its own: what one left locked, the other has to wait out.
        let holder = LockHolder(user: "belay", host: "node-\(name)", boot: "boot-\(name)", pid: number, command: "reconcile", since: now())
        return Loop(
            reconciler: reconciler, source: clone, options: PassOptions(adopts: true, holder: holder), jitter: { [dice] in dice.jitter() },
            load: Repository.load)
    }

    private func note(_ event: LoopEvent, of life: Life) {
        guard !life.hasEnded else { return }
        let story = soak.story
        switch event {
        case .loaded(let revision, _, _): story.tell("\(life.name) revision \(revision.id.suffix(4))")
        case .rejected: story.tell("\(life.name) does not load")
        case .unreadable(let error, _, _): story.tell("\(life.name) unreadable: \(error.message)")
        case .outOfReach: story.tell("\(life.name) Git out of reach")
        case .inReach: story.tell("\(life.name) Git in reach")
        case .execution(let system, .drifted(let drift)): story.tell("\(life.name) \(system.name): drift of \(drift.resource)")
        case .ended(let report, let again):
            let why = report.problems.first.map { ": \($0.reason)" } ?? ""
            let next = again.map { ", again in \($0.components.seconds) s" } ?? ""
            story.tell("\(life.name) \(report.system.name): \(report.headline)\(why)\(next)")
        case .passed(let report, _):
            soak.passes.withLock { $0 += 1 }
            do { try soak.leak.drip() } catch { story.fail("\(error)") }
            for problem in report.problems where Self.forbidden.contains(problem.reason) { story.fail("\(life.name) \(problem)") }
        case .left(let system): story.fail("\(life.name) left \(system)")
        case .letGo(let ended, _): story.fail("\(life.name) let go of \(ended.system)")
        case .tookOver, .unmoved, .execution, .interrupted, .observed, .stopping, .stopped: break
        }
    }

    /// What no trouble may lead to.
    private static let forbidden: Set<String> = [
        "JournalDamaged", "JournalNewer", "LockLost", "StateFailed", "StateNotPermitted", "DiskFull",
    ]
}
