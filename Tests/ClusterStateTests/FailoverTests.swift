import ControlPlane
import FoundationEssentials
import HTTPCore
import JSONValues
import KubernetesAPI
import SandboxServer
import State
import TestPrograms
import Testing

/// Two real processes of the program on a real API server.
@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), .timeLimit(.minutes(5))) struct FailoverTests {
    /// Short leases, so that the test is; their proportions are those of the defaults.
    private static let times = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"]

    @Test func theSecondReplicaFinishesWhatAKilledLeaderBeganWithNoDoubledEffect() async throws {
        try await Bench.with(speed: 4) { bench in
            try await bench.commit("dpl_web3", at: 1)
            let arguments =
                ["-f", "repo", "--leader-elect", "--lease-namespace", bench.stand.namespace, "--resync", "2s"] + Self.times
            let follower = Box<BuiltProgram.Ended>()
            let (isRecorded, isFollowing, isFinished) = (Flag(), Flag(), Flag())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await bench.until("the baseline is recorded") { isRecorded.isRaised }
                    follower.value = try await bench.reconcile(
                        arguments, by: .terminate, into: "b.log", variables: ["POD_NAME": "belay-b"]
                    ) {
                        // From here on it reads a new commit as the first one does.
                        try await bench.until("it has looked at the Lease, and at the specs") {
                            try bench.printed("this replica follows; belay-a_", in: "b.log") && bench.printed(" revision ", in: "b.log")
                        }
                        isFollowing.raise()
                        try await bench.until("it has converged") { isFinished.isRaised }
                    }
                }
                let killed = try await bench.reconcile(arguments, by: .kill, variables: ["POD_NAME": "belay-a"]) {
                    try await bench.until("the baseline is recorded") { try await bench.history().count == 1 }
                    isRecorded.raise()
                    try await bench.until("the second one follows") { isFollowing.isRaised }
                    try await bench.commit("dpl_web2", at: 2)
                    try await bench.until("the leader is in the middle") { bench.promotions == ["dpl_web2"] }
                }
                #expect(killed.status == 128 + 9)
                #expect(killed.output.contains(": this replica leads\n"), "\(killed.output)")
                // The lead by its Lease, and the system by its lock, each when it has shown no sign.
                try await bench.until("the second one has finished it") {
                    try await bench.history().contains { if case .closed = $0.entry { true } else { false } }
                }
                isFinished.raise()
                try await group.waitForAll()
            }
            let second = try #require(follower.value)
            #expect(second.status == 0, "\(second.output)\(second.errors)")
            #expect(second.output.contains(": this replica follows; belay-a_"), "\(second.output)")
            #expect(second.output.contains(": this replica leads\n"), "\(second.output)")
            #expect(bench.promotions == ["dpl_web2"], "the rollback was asked for once")
            #expect(bench.writes.filter { $0.method == .patch }.count == 1, "and so was the fence")
            let plan = try await bench.reconcile(["plan", "-f", "repo"])
            #expect(plan.status == 0, "\(plan.output)\(plan.errors)")
            // Told to end, it gave the lead back.
            let lease = try await bench.stand.client.get(.leases, namespace: bench.stand.namespace, name: "belay-leader").body
            #expect(lease["spec"]?["holderIdentity"] == nil, "\(lease)")
        }
    }

    @Test func replicasShareSystemsAndTheOtherTakesOverAtOnceWhenOneEnds() async throws {
        try await Bench.with { bench in
            try await bench.commit("dpl_web3", at: 1)
            let arguments = ["-f", "repo", "--shard", "--lease-namespace", bench.stand.namespace, "--resync", "1s"] + Self.times
            let (isRecorded, isFinished) = (Flag(), Flag())
            let other = Box<BuiltProgram.Ended>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await bench.until("the baseline is recorded") { isRecorded.isRaised }
                    other.value = try await bench.reconcile(arguments, by: .terminate, variables: ["POD_NAME": "belay-b"]) {
                        try await bench.until("it works alone") { isFinished.isRaised }
                    }
                }
                let first = try await bench.reconcile(arguments, by: .terminate, into: "a.log", variables: ["POD_NAME": "belay-a"]) {
                    try await bench.until("the baseline is recorded") { try await bench.history().count == 1 }
                    isRecorded.raise()
                    try await bench.until("both are members") {
                        try await bench.leases() == ["belay-replica-belay-a", "belay-replica-belay-b"]
                    }
                    try await bench.until("the first one has seen the other") {
                        try bench.printed("belay-a: this replica works beside belay-b\n", in: "a.log")
                    }
                }
                #expect(first.status == 0, "\(first.output)\(first.errors)")
                #expect(first.output.contains("belay-a: this replica works beside belay-b\n"), "\(first.output)")
                #expect(try await bench.leases() == ["belay-replica-belay-b"])
                try await bench.commit("dpl_web2", at: 2)
                try await bench.until("the other one does it") { bench.promotions == ["dpl_web2"] }
                try await bench.until("and finishes") {
                    try await bench.history().contains { if case .closed = $0.entry { true } else { false } }
                }
                isFinished.raise()
                try await group.waitForAll()
            }
            #expect(other.value?.status == 0, "\(other.value?.output ?? "")\(other.value?.errors ?? "")")
            #expect(other.value?.output.contains("belay-b: this replica is the only one\n") == true, "\(other.value?.output ?? "")")
            #expect(try await bench.leases().isEmpty)
        }
    }

    @Test(arguments: [
        (["--leader-elect", "--shard"], "With --leader-elect one replica works, with --shard all do: say one of them."),
        (["--lease-namespace", "ops"], "--lease-namespace belongs to --leader-elect or --shard."),
        (
            ["--leader-elect", "--lease-duration", "5s"],
            "--lease-duration, --renew-deadline and --retry-period do not go together: the lease must be longer than the time for its renewal."
        ),
        (["--once", "--leader-elect"], "--leader-elect belongs to the loop: leave --once out, or --leader-elect."),
    ]) func optionsThatDoNotGoTogetherAreRefused(_ options: [String], _ words: String) async throws {
        let ended = try await BuiltProgram("reconcile").run(["-f", "."] + options)
        #expect(ended.status == 64)
        #expect(ended.errors.contains(words), "\(ended.errors)")
    }

    @Test func aReplicaThatIsNoPodIsAskedForTheNamespace() async throws {
        let ended = try await BuiltProgram("reconcile").run(
            ["-f", ".", "--leader-elect"], variables: ["KUBECONFIG": try await Stand.kubeconfig(), "POD_NAMESPACE": nil])
        #expect(ended.status == 1)
        #expect(
            ended.errors.contains(
                "this is not a pod, and no namespace is named for the Leases; say the same one for every replica: --lease-namespace NAMESPACE"
            ),
            "\(ended.errors)")
    }
}

/// Raised once.
final class Flag: Sendable {
    private let box = Box<Bool>()
    var isRaised: Bool { box.value == true }
    func raise() { box.value = true }
}

extension Bench {
    func history() async throws -> [JournalRecord] { try await stand.store().history() }

    func leases() async throws -> [String] {
        try await stand.client.list(.leases, namespace: stand.namespace).items.compactMap { $0["metadata"]?["name"]?.string }.sorted()
    }
}
