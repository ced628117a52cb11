import ControlPlane
import FoundationEssentials
import JSONValues
import SandboxServer
import State
import StateContract
import Synchronization
import TestPrograms
import Testing

/// A pod and a CI job that share the state of a system in a cluster, through the program and on a real API server.
@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), .timeLimit(.minutes(5))) struct ProgramTests {
    @Test func twoRevisionsAtOnceDoNotRevertEachOther() async throws {
        try await Bench.with(speed: 4) { bench in
            try await bench.commit("dpl_web3", at: 1)
            let first = try await bench.reconcile(["--once", "-f", "repo"])
            #expect(first.status == 0, "\(first.output)\(first.errors)")
            #expect(!first.errors.contains("may not outlive the job"))
            try await bench.commit("dpl_web2", at: 2)
            try await bench.clone("pod")
            try await bench.commit("dpl_web1", at: 3)
            let job = Box<BuiltProgram.Ended>()
            let pod = try await bench.reconcile(["-f", "pod", "--resync", "1s"], by: .terminate) {
                try await bench.until("the pod is in the middle") { !bench.writes.isEmpty }
                var ended = try await bench.reconcile(["--once", "-f", "repo"])
                if ended.status == 3 {
                    #expect(ended.output.contains("is locked by"), "\(ended.output)")
                    ended = try await bench.reconcile(["--once", "-f", "repo"])
                }
                job.value = ended
                // The pod looks every second, and leaves it as it is.
                let writes = bench.writes.count
                let looks = bench.sandbox.server.requests.count
                try await bench.until("it has looked several times more") { bench.sandbox.server.requests.count >= looks + 6 }
                #expect(bench.writes.count == writes)
            }
            #expect(job.value?.status == 0, "\(job.value?.output ?? "")\(job.value?.errors ?? "")")
            #expect(pod.status == 0, "\(pod.output)\(pod.errors)")
            let words = "which was reconciled already, and this clone is too shallow to tell more"
            #expect(pod.output.contains(words), "\(pod.output)")
            let status = try await bench.reconcile(["plan", "-f", "repo"])
            #expect(status.status == 0, "\(status.output)\(status.errors)")
            #expect(bench.promotions == ["dpl_web2", "dpl_web1"], "each once, and only forward")
        }
    }

    @Test func aLivingHolderIsNamedAndNothingIsLeftOnTheDisk() async throws {
        try await Bench.with { bench in
            try await bench.commit("dpl_web3", at: 1)
            #expect(try await bench.reconcile(["--once", "-f", "repo"]).status == 0)
            try await bench.stand.store(lease: .seconds(2)).withLock(.make(), clock: ContinuousClock()) { _ in
                let refused = try await bench.reconcile(["--once", "-f", "repo"])
                let text = refused.output + refused.errors
                #expect(refused.status == 3, "\(text)")
                let place = "the state in systemstate shop in namespace \(bench.stand.namespace)"
                #expect(text.contains("\(place) is locked by ann@build-7, process 4711 (reconcile --once), since "), "\(text)")
                let status = try await bench.reconcile(["status", "-f", "repo"])
                #expect(status.output.contains("ann@build-7"), "\(status.output)")
            }
            #expect(try bench.stateFiles().isEmpty)
            let given = try await bench.reconcile(["plan", "-f", "repo", "--state", "mine"])
            #expect(
                given.errors.contains("its state is read and written in mine, not in the cluster as the spec says: --state"),
                "\(given.errors)")
        }
    }

    @Test func aClusterThatIsNotThereStopsEverythingBeforeItBegins() async throws {
        try await Bench.with { bench in
            try await bench.commit("dpl_web2", at: 2)
            for (kubeconfig, words) in [
                (nil, "no cluster to talk to: neither KUBECONFIG nor ~/.kube/config is there"),
                (bench.place.path("none"), "cannot be"),
            ] {
                for arguments in [["plan"], ["--once", "--adopt"]] {
                    let ended = try await bench.reconcile(arguments + ["-f", "repo"], variables: ["KUBECONFIG": kubeconfig])
                    #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
                    #expect((ended.output + ended.errors).contains(words), "\(ended.output)\(ended.errors)")
                }
            }
            #expect(bench.writes.isEmpty)
        }
    }
}

/// Holds a value that a closure found.
final class Box<Value: Sendable>: Sendable {
    private let held = Mutex<Value?>(nil)
    var value: Value? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
