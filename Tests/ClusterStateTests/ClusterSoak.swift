import ControlPlane
import FoundationEssentials
import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import SandboxServer
import Simulators
import State
import Synchronization
import TestPrograms

/// Two pods, their Git host, their vendors and their cluster, and what goes wrong with each.
final class ClusterSoak: Sendable {
    enum Strike: Sendable, CaseIterable {
        case commit, commitThatDoesNotLoad, fault, throttle, gitDown, remoteMoved, restartServer, killLeader, killOne, terminateOne

        var isKilling: Bool { [.killLeader, .killOne, .terminateOne].contains(self) }
    }

    let seed: UInt64
    let stand: Stand
    let sandbox: Sandbox
    private let place: Place
    private let host: GitHost
    private let pods: [Pod]
    private let dice: Dice
    let state = Mutex(State())

    struct State {
        var pins = Pins(web: "dpl_web3", worker: "v3", api: "v3")
        var generation = 0
        var problems: [String] = []
        var story: [String] = []
        var isRestarting = false
        var leadersKilled = 0
        var restarts = 0
    }

    struct Pins: Sendable, Equatable {
        var web: String
        var worker: String
        var api: String
    }

    init(seed: UInt64) async throws {
        self.seed = seed
        stand = try await Stand.real()
        sandbox = try await Sandbox.start(world: WorldFile(reading: Array(Self.world.utf8), file: "world.yaml"), speed: 50)
        place = try Place()
        host = GitHost(place)
        dice = Dice(seed: seed, part: "cluster")
        try await place.git("init", "-q", "-b", "main")
        var variables = Dictionary(sandbox.environment.map { ($0.name, Optional($0.value)) }) { first, _ in first }
        variables["KUBECONFIG"] = try await Stand.kubeconfig()
        variables["HOME"] = place.root
        variables["GIT_CONFIG_GLOBAL"] = "/dev/null"
        variables["XDG_STATE_HOME"] = .some(nil)
        let arguments =
            ["--git", host.url, "--path", "specs", "--poll", "1s", "--resync", "2s", "--adopt", "--leader-elect"]
            + ["--lease-namespace", stand.namespace, "--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"]
        pods = ["belay-a", "belay-b"].map { [place, variables] in Pod($0, arguments, variables, place) }
    }

    func end() async throws {
        try await sandbox.stop()
        try place.remove()
    }

    /// How many leaders were killed while they led, and how often the API server was started again.
    var count: (leadersKilled: Int, restarts: Int) { state.withLock { ($0.leadersKilled, $0.restarts) } }

    /// Where somebody found something wrong.
    var problems: [String] { state.withLock { $0.problems } }

    /// What was done, and the last lines of the pods.
    func story() throws -> String {
        (state.withLock { $0.story } + (try pods.flatMap { try $0.lastLines() })).joined(separator: "\n")
    }

    func tell(_ what: String) { state.withLock { $0.story.append(what) } }
    private func fail(_ why: String) { state.withLock { $0.problems.append(why) } }

    /// What the living pods take, by name.
    func usage() throws -> [String: ProcessUsage] {
        var usage: [String: ProcessUsage] = [:]
        for pod in pods { usage[pod.name] = try pod.process.map { try ProcessUsage.now(of: $0) } }
        return usage
    }

    /// Runs `body` while the pods run.
    func run(_ body: @Sendable (ClusterSoak) async throws -> Void) async throws {
        try await deploy()
        let first = try await host.publish(spec(state.withLock { $0.pins }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [host] in try await host.run() }
            try await until("the Git host answers") { try await self.host.answers }
            for pod in pods { group.addTask { try await pod.run() } }
            try await settle(first)
            try await body(self)
            for pod in pods { pod.finish() }
            try await until("the pods have ended") { self.pods.allSatisfy { $0.process == nil } }
            host.finish()
            try await group.waitForAll()
        }
        for pod in pods where pod.status != 0 { fail("\(pod.name) ended with \(pod.status)") }
    }

    // MARK: - Storms

    /// Returns when all of it is over, with everything whole again.
    ///
    /// - Parameters:
    ///   - count: how many strikes there are beside those that there always are.
    func storm(_ count: Int, always: [Strike], isKilling: Bool = true) async throws {
        // An API server takes seconds to start, and a new leader to be one: between most of those somebody is to work.
        let rare = Strike.allCases.filter { $0 == .restartServer || isKilling && $0.isKilling }
        let usual: [Strike] = [
            .commit, .commit, .commit, .commit, .commit, .commitThatDoesNotLoad, .fault, .fault, .throttle, .gitDown, .remoteMoved,
        ]
        var strikes = (0..<count).map { _ in dice.pick(dice.chance(10) ? rare : usual) }
        for strike in always { strikes.insert(strike, at: dice.number(0...strikes.count)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for strike in strikes {
                tell("\(strike)")
                if let relief = try await self.strike(strike) { group.addTask { try await relief() } }
                try await Task.sleep(for: .milliseconds(dice.number(300...1500)))
            }
            try await group.waitForAll()
        }
        sandbox.server.faults.removeAll()
        host.isWanted = true
    }

    /// - Returns: what ends it, if it lasts.
    private func strike(_ strike: Strike) async throws -> (@Sendable () async throws -> Void)? {
        let length = Duration.milliseconds(dice.number(500...4000))
        switch strike {
        case .commit, .commitThatDoesNotLoad:
            let pins = Pins(
                web: dice.pick(["dpl_web1", "dpl_web2", "dpl_web3"]), worker: dice.pick(["v1", "v2", "v3"]),
                api: dice.pick(["v1", "v2", "v3"]))
            try await host.publish(strike == .commit ? spec(pins) : "kind: Sytsem")
        case .fault:
            let kinds: [Fault.Kind] = [
                .answer(status: 500, headers: [:], body: ""), .dropBefore, .dropAfter, .truncate, .delay(.seconds(20)),
                .replaceAnswer(status: 502, headers: [:], body: ""),
            ]
            sandbox.server.faults.add(
                Fault(method: dice.pick([.post, .patch, .get]), dice.pick(kinds), times: dice.number(1...3)))
        case .throttle:
            let vendor = dice.pick(["vercel", "fly"])
            sandbox.server.faults.add(
                Fault(simulator: vendor, .answer(status: 429, headers: ["Retry-After": "1"], body: "{}"), times: dice.number(1...8)))
        case .gitDown:
            host.isWanted = false
            return { [host] in
                try await Task.sleep(for: length)
                host.isWanted = true
            }
        case .remoteMoved:
            try host.move(away: true)
            return { [host] in
                try await Task.sleep(for: length)
                try host.move(away: false)
            }
        case .restartServer:
            let isFirst = state.withLock { state in
                defer { state.isRestarting = true }
                return !state.isRestarting
            }
            guard isFirst else { return nil }
            return {
                try await ControlPlane.shared.restartServer(after: length)
                self.state.withLock { state in
                    state.isRestarting = false
                    state.restarts += 1
                }
            }
        case .killLeader:
            // While the API server starts, nobody leads.
            try await until("somebody leads") { try self.pods.contains { try $0.leads } }
            try pods.first { try $0.leads }?.end(by: .kill)
            state.withLock { $0.leadersKilled += 1 }
        case .killOne: dice.pick(pods).end(by: .kill)
        case .terminateOne: dice.pick(pods).end(by: .terminate)
        }
        return nil
    }

    // MARK: - Calms

    /// Pins something new, and looks at everything when that is in place.
    func calm(watchedFor length: Duration) async throws {
        var pins = state.withLock { $0.pins }
        pins = Pins(
            web: pins.web == "dpl_web1" ? "dpl_web2" : "dpl_web1", worker: pins.worker == "v1" ? "v2" : "v1",
            api: pins.api == "v1" ? "v2" : "v1")
        state.withLock { [pins] in $0.pins = pins }
        tell("calm: \(pins)")
        try await settle(try await host.publish(spec(pins)))
        let (writes, records, generation) = (self.writes.count, try await stand.store().history(), try await generation())
        let after = state.withLock { $0.generation }
        let promotions = self.writes.count { $0.method == .post && $0.path.contains("/dpl_") }
        for problem in Books(
            vercel: try await world("vercel"), fly: try await world("fly"), rollouts: generation - after, promotions: promotions,
            records: records
        ).problems { fail(problem) }
        try await Task.sleep(for: length)
        if self.writes.count != writes { fail("\(self.writes.count - writes) writes were sent while everything was in sync") }
        let more = try await stand.store().history().dropFirst(records.count).map(\.entry.kind.rawValue)
        if !more.isEmpty { fail("the journal grew while everything was in sync: \(more)") }
        if try await self.generation() != generation { fail("there was a rollout while everything was in sync") }
        let use = try usage().sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.descriptors) files, \($0.value.kilobytes) kB" }
        let (killed, restarts) = count
        let line =
            "\(killed) leaders killed, \(restarts) restarts of the API server, \(sandbox.server.requests.count) requests, \(writes) writes, \(records.count) records, \(generation - after) rollouts; \(use)"
        tell(line)
        if ProcessInfo.processInfo.environment["BELAY_LONG"] == "1" { print(line) }
    }

    private var writes: [RecordedRequest] { sandbox.server.requests.filter { !$0.method.isSafe && !$0.path.hasSuffix("/graphql") } }

    /// Returns when the pins are in place and nothing is open any more.
    private func settle(_ commit: String) async throws {
        let pins = state.withLock { $0.pins }
        let seen = Mutex(0)
        try await until("\(pins) is in place") {
            let records = try await self.stand.store().history()
            let state = RecordedState(replaying: records)
            // What is pinned may be in place already, and the commit not yet looked at.
            guard state.accepted?.id == commit, state.transition == nil, state.openIntents.isEmpty else { return false }
            guard try await self.live() == pins else { return false }
            // The first resync that finds it in place may still have to record what a release is called now; further ones may not.
            if seen.withLock({ $0 == records.count }) { return true }
            seen.withLock { $0 = records.count }
            try await Task.sleep(for: .milliseconds(2500))
            return false
        }
        tell("in place: \(pins)")
    }

    func until(_ what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        var reason = ""
        while ContinuousClock.now - start < .seconds(120) {
            do { if try await isSo() { return } } catch { reason = ": \(error)" }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ControlPlane.Failure(description: "it never was: \(what)\(reason); there is \(try await live())")
    }
}
