import ControlLoop
import Dispatch
import Execution
import Model
import Planning
import Sources
import State

/// `reconcile` without `--once`: the loop, one line per event, until a signal ends it.
struct LoopRun: Sendable {
    var program: Program
    var specs: SpecOptions
    var form: OutputForm
    var adopt: Bool
    var approval: ApprovalOptions
    var resync: Duration
    var concurrency: Int
    /// Nil for a process that works alone.
    var replica: Replica?

    /// - Parameter repository: nil watches the paths.
    func callAsFunction(_ repository: GitSource?) async -> Verdict {
        let stop = StopSignal()
        let signals = Program.onSignal { stop.raise() }
        defer { for signal in signals { signal.cancel() } }
        let source: any WatchedSource
        do throws(SourceError) {
            if let repository {
                source = repository
            } else {
                // Somebody who names a path that is not there wants to know it now.
                _ = try await PathSource(specs.files).snapshot()
                source = try await WatchedPaths(specs.files, rereading: resync, clock: program.reconciler.clock)
            }
        } catch {
            program.output.error(error.message)
            return .failure
        }
        if !["", "false", "0"].contains(program.variables["CI"] ?? "") {
            program.output.progress("note: this is a CI job, and the loop does not end by itself; --once makes passes and ends\n")
        }
        let lines = LoopLines(output: program.output, form: form, now: program.reconciler.now)
        let options = PassOptions(
            adopts: adopt, holder: LockHolder.current(command: "reconcile", environment: program.variables, since: program.reconciler.now())
        )
        var loop = Loop(
            reconciler: program.reconciler, source: source, pace: LoopPace(resync: resync, concurrency: concurrency), options: options
        ) { snapshot in
            var loading = program.loading(snapshot, specs)
            loading.systems = loading.systems.map(approval.applied)
            if loading.systems.isEmpty, loading.mistakes.isEmpty {
                loading.mistakes = ["no system is named \(specs.system ?? ""), of those in the specs"]
            }
            if loading.mistakes.isEmpty { program.tellPassedOverState(of: loading.systems) }
            return loading
        }
        if let replica { await share(&loop, with: replica, lines, until: stop) } else { await loop.run(until: stop) { lines.write($0) } }
        if program.output.isBroken { program.output.error("what happened could not be written") }
        return program.output.isBroken ? .failure : .inSync
    }

    /// Runs the loop over what is this replica's. The Lease is given back when everything under way has ended, and not before.
    private func share(_ loop: inout Loop, with replica: Replica, _ lines: LoopLines, until stop: StopSignal) async {
        let duty = Duty()
        loop.duty = duty
        let loop = loop
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await replica.run(duty, lines) }
            await loop.run(until: stop) { lines.write($0) }
            group.cancelAll()
        }
    }
}
