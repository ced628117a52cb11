import FoundationEssentials
import Model
import State
import Synchronization
import TestDoubles
import TestPrograms

/// Hours of faults in virtual time: two replicas of the real loop over the real providers, the simulated vendors, one state directory. Storms
/// and calms take turns; everything that must be so is looked at in the calms.
final class Soak: Sendable {
    /// One storm and the calm after it.
    struct Round: Sendable {
        var storm: Duration
        /// Until everything must be in place.
        var settling: Duration
        /// In which nothing may be changed.
        var quiet: Duration
    }

    let seed: UInt64
    /// What is done wrong on purpose.
    let mutation: Mutation?
    let time = VirtualTime()
    let story: Story
    let vendors: Vendors
    let network: Network
    let repository = Repository()
    let exclusion: Exclusion
    let root: String
    let passes = Mutex(0)
    /// How much went wrong, or was done by people.
    let strikes = Mutex(0)
    let leak: Leak
    private let both = Mutex<[Replica]>([])

    init(seed: UInt64, mutation: Mutation? = nil) throws {
        self.seed = seed
        self.mutation = mutation
        leak = Leak(mutation, time)
        story = Story(time)
        vendors = try Vendors(time)
        network = Network(vendors, time, Dice(seed: seed, part: "network"), story)
        exclusion = Exclusion(story)
        root = FileManager.default.temporaryDirectory.path + "/belay-soak-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data(Vendors.kubeconfig.utf8).write(to: URL(filePath: kubeconfig))
        both.withLock { $0 = ["a", "b"].map { Replica($0, of: self) } }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var kubeconfig: String { root + "/kubeconfig" }
    var replicas: [Replica] { both.withLock { $0 } }

    /// Runs all rounds; returns what was found at the end of each.
    /// - Parameters:
    ///   - beginning: how long the first rollout may take.
    ///   - isChanging: whether each calm begins with a commit.
    ///   - found: called at the end of each, for those who wait.
    func run(
        _ rounds: [Round], beginning: Duration = .seconds(300), isChanging: Bool = true,
        found: @escaping @Sendable (Finding) -> Void = { _ in }
    ) async throws -> [Finding] {
        for vendor in Vendors.names { await network.ledger.look(at: vendor, nil) }
        let findings = try await time.run { [self] in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas { group.addTask { await replica.run() } }
                // Everything is written once, so that Belay has a hand in all of it.
                repository.commit(Part.firstPins.mapValues { _ in 1 })
                try await time.sleep(for: beginning)
                let storm = Storm(soak: self, dice: Dice(seed: seed, part: "storm"))
                var findings: [Finding] = []
                for round in rounds {
                    await storm.blow(for: round.storm)
                    findings.append(try await calm(round, isChanging: isChanging))
                    findings.last.map(found)
                }
                for replica in replicas { replica.finish() }
                try await group.waitForAll()
                return findings
            }
        }
        both.withLock { $0 = [] }
        try leak.end()
        return findings
    }

    private func calm(_ round: Round, isChanging: Bool) async throws -> Finding {
        let dice = Dice(seed: seed, part: "calm at \(time.now.offset)")
        var pins = repository.pins
        if isChanging {
            for part in Part.all.indices { pins[part] = dice.pick(Part.all[part].pins.indices.filter { Part.all[part].pins[$0].isGood }) }
            repository.commit(pins)
        }
        story.tell("calm")
        try await time.sleep(for: round.settling)
        await judge(pins)
        let (writes, lines) = (network.writes, try await journals().mapValues(\.count))
        try await time.sleep(for: round.quiet)
        if network.writes != writes { story.fail("\(network.writes - writes) writes were sent while everything was in sync") }
        let more = try await journals().mapValues(\.count)
        if more != lines { story.fail("journals grew while everything was in sync: from \(lines) to \(more)") }
        return try await measure()
    }

    private func judge(_ pins: [Int: Int]) async {
        let facts = await vendors.facts()
        for (number, part) in Part.all.enumerated() {
            for fact in part.pins[pins[number] ?? 0].facts where !facts.contains(fact) {
                story.fail(
                    "\(part.id) is not in place: no \(fact) among \(facts.filter { $0.hasPrefix(fact.prefix { $0 != ":" }) }.sorted())")
            }
        }
        do {
            for (system, records) in try await journals().sorted(by: { $0.key < $1.key }) {
                for problem in network.ledger.judge(system, records) { story.fail(problem) }
                let state = RecordedState(replaying: records)
                if let transition = state.transition { story.fail("\(system): transition \(transition.target) is open") }
            }
        } catch { story.fail("a journal cannot be read: \(error)") }
    }

    /// By the system's name.
    private func journals() async throws(StateError) -> [String: [JournalRecord]] {
        var journals: [String: [JournalRecord]] = [:]
        for system in Set(Part.all.map(\.system)).sorted() {
            let store = DirectoryStateStore(StateDirectory(root: root, system: SystemID(name: system)))
            journals[system] = try await time.outside { () async throws(StateError) in try await store.history() }
        }
        return journals
    }

    /// The least of some looks: between two passes nothing is open.
    private func measure() async throws -> Finding {
        var best = try Finding(self)
        for _ in 0..<10 {
            try await time.sleep(for: .seconds(7))
            best = best.least(with: try Finding(self))
        }
        return best
    }
}
