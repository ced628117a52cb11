import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import Synchronization
import TestPrograms
import Testing

private let variables = ProcessInfo.processInfo.environment

/// The built program as a pod runs it, in real time: Git is down now and then, the providers fail, the process is killed and started again.
/// What happens when is of a seed (`BELAY_SEED`), how fast is not.
@Suite(.serialized, .timeLimit(.minutes(60)), .enabled(if: variables["BELAY_LONG"] == "1", "takes minutes: make soak, or BELAY_LONG=1"))
struct SoakTests {
    private static let seed = variables["BELAY_SEED"].flatMap { UInt64($0) } ?? 1

    @Test func killedAgainAndAgainWhileGitAndTheProvidersFailItEndsInSync() async throws {
        try await SandboxedSystem.with { system in
            let host = GitHost(system.place)
            let pod = Pod(system, host)
            try await host.publish("dpl_web3", "v3")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await host.run() }
                group.addTask { try await pod.run() }
                try await until("the daemon answers") { try await host.answers }
                let dice = Dice(seed: Self.seed, part: "pod")
                for _ in 0..<400 {
                    try await Task.sleep(for: .milliseconds(dice.number(100...900)))
                    try await strike(system, host, pod, dice)
                }
                system.sandbox.server.faults.removeAll()
                host.isWanted = true
                try await host.publish("dpl_web1", "v2")
                try await until("the last pins are in place") { try await system.holds("dpl_web1", "registry.example.com/shop:v2") }
                try await until("the journal is closed") { try system.records().last?["kind"]?.string == "closed" }
                try await quiet(system, host)
                pod.finish()
                host.finish()
                try await group.waitForAll()
            }
            let problems = try await system.doubledEffects(try system.records())
            #expect(problems.isEmpty, "BELAY_SEED=\(Self.seed): \(problems)")
        }
    }

    private func strike(_ system: SandboxedSystem, _ host: GitHost, _ pod: Pod, _ dice: Dice) async throws {
        switch dice.number(1...12) {
        case 1...5:
            try await host.publish(dice.pick(["dpl_web1", "dpl_web2", "dpl_web3"]), dice.pick(["v1", "v2", "v3"]))
        case 6: try await host.publish("dpl_web1", "v1", isRight: false)
        case 7...9:
            let kinds: [Fault.Kind] = [
                .answer(status: 500, headers: [:], body: ""), .answer(status: 429, headers: ["Retry-After": "1"], body: ""), .dropBefore,
                .dropAfter, .truncate, .delay(.seconds(20)),
            ]
            system.sandbox.server.faults.add(
                Fault(method: dice.pick([.post, .patch, .get]), dice.pick(kinds), times: dice.number(1...3)))
        case 10: host.isWanted.toggle()
        default: pod.end()
        }
    }

    /// Looks at the process while nothing happens: it changes nothing, and takes no more than before.
    private func quiet(_ system: SandboxedSystem, _ host: GitHost) async throws {
        let process = try #require(try ProcessUsage.processes(of: "/reconcile", with: host.url).first)
        try await Task.sleep(for: .seconds(2))
        let (writes, lines) = (system.writes.count, try system.records().count)
        let before = try ProcessUsage.now(of: process)
        try await Task.sleep(for: .seconds(120))
        let after = try ProcessUsage.now(of: process)
        #expect(system.writes.count == writes, "it writes while it is in sync")
        #expect(try system.records().count == lines, "its journal grows while it is in sync")
        // A pass that is under way has some open.
        #expect(after.descriptors <= before.descriptors + 16, "\(before) \(after)")
        #expect(after.threads <= before.threads + 8, "\(before) \(after)")
        #expect(after.kilobytes <= before.kilobytes + 8192, "\(before) \(after)")
    }
}

/// Looks every 50 ms until something is so; an error after two minutes.
private func until(_ what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
    for _ in 0..<2400 {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw Late(what: what)
}

private struct Late: Error { var what: String }

/// The program, started again whenever it was ended.
private final class Pod: Sendable {
    private let system: SandboxedSystem
    private let host: GitHost
    private let isToEnd = Mutex(false)
    private let isOver = Mutex(false)

    init(_ system: SandboxedSystem, _ host: GitHost) {
        self.system = system
        self.host = host
    }

    /// Ends the life that is under way: killed and terminated by turns.
    func end() { isToEnd.withLock { $0 = true } }

    func finish() {
        isOver.withLock { $0 = true }
        end()
    }

    func run() async throws {
        var kills = true
        while !isOver.withLock({ $0 }) {
            isToEnd.withLock { $0 = false }
            let arguments = [
                "--git", host.url, "--path", "specs", "--poll", "1s", "--resync", "2s", "--adopt", "-o", "json",
            ]
            let ended = try await system.reconcile(arguments, by: kills ? .kill : .terminate) {
                while !isToEnd.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(ended.status == (kills ? 137 : 0), "\(ended.output)\(ended.errors)")
            kills.toggle()
        }
    }
}

extension GitHost {
    fileprivate func publish(_ web: String, _ api: String, isRight: Bool = true) async throws {
        try await publish(isRight ? SandboxedSystem.spec(web: web, api: api) : "kind: Sytsem")
    }
}

extension SandboxedSystem {
    /// True if the vendors have these in place.
    fileprivate func holds(_ deployment: String, _ image: String) async throws -> Bool {
        let project = (try await world("vercel")["projects"]?.elements ?? []).first
        let workload = try await backend
        let containers = workload?["spec"]?["template"]?["spec"]?["containers"]?.elements
        return project?["production"]?.string == deployment && containers?.first?["image"]?.string == image
    }

    /// The entries of the journal; none while there is none.
    fileprivate func records() throws -> [JSON] {
        let text = try stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text ?? ""
        return try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// Where the vendors' books name more effects than the journal names writes that may have had one.
    fileprivate func doubledEffects(_ records: [JSON]) async throws -> [String] {
        var endings: [String: String] = [:]
        for receipt in records.compactMap({ $0["receipt"] }) { endings[receipt["intent"]?.string ?? ""] = receipt["ending"]?.string }
        let intents = records.compactMap { $0["intent"] }.filter {
            !["void", "refused", "throttled", "alreadySo"].contains(endings[$0["id"]?.string ?? ""] ?? "")
        }
        func count(_ name: String) -> Int { intents.count { $0["resource"]?.string == "component/\(name)" } }
        let books = (try await world("vercel")["projects"]?.elements ?? []).first?["writes"]?.elements ?? []
        let promotions = books.count { ["promote", "rollback"].contains($0["operation"]?.string ?? "") }
        // The world begins with three releases.
        let rollouts = (try await backend?["metadata"]?["generation"]?.integer ?? 0) - 3
        var problems: [String] = []
        if promotions > count("web") { problems.append("\(promotions) promotions of \(count("web")) writes") }
        if rollouts > count("api") { problems.append("\(rollouts) rollouts of \(count("api")) writes") }
        if promotions < 1 || rollouts < 1 { problems.append("\(promotions) promotions and \(rollouts) rollouts: nothing happened") }
        return problems
    }

    private var backend: JSON? {
        get async throws { (try await world("kubernetes")["objects"]?.elements ?? []).first { $0["kind"]?.string == "Deployment" } }
    }

    private func world(_ vendor: String) async throws -> JSON {
        let url = (sandbox.server.urls[vendor] ?? "") + "/_sandbox/world"
        let answer = try await BuiltProgram(onSearchPath: "curl").run(["-sf", "--noproxy", "*", url])
        return try JSON(parsing: answer.output)[vendor] ?? [:]
    }
}
