import ControlLoop
import Dispatch
import Execution
import Metering
import Model
import Planning
import Serving
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
    var grace: Duration
    /// Nil serves nothing.
    var served: Served?

    /// - Parameter repositories: empty watches the paths.
    func callAsFunction(_ repositories: [GitSource]) async -> Verdict {
        let stop = StopSignal()
        let signals = Program.onSignal { stop.raise() }
        defer { for signal in signals { signal.cancel() } }
        let source: any WatchedSource
        do throws(SourceError) {
            if let only = repositories.first, repositories.count == 1 {
                source = only
            } else if !repositories.isEmpty {
                source = GitSources(repositories)
            } else {
                // Somebody who names a path that is not there wants to know it now.
                _ = try await PathSource(specs.files).snapshot()
                source = try await WatchedPaths(
                    specs.files, rereading: resync, clock: program.reconciler.clock, filesRead: Program.filesRead)
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
        let loop = Loop(
            reconciler: program.reconciler, source: source, pace: LoopPace(resync: resync, concurrency: concurrency, grace: grace),
            options: options, line: served?.line ?? LoopLine(), probe: served?.probe ?? LoopProbe()
        ) { snapshot in
            var loading = program.loading(snapshot, specs)
            loading.systems = loading.systems.map(approval.applied)
            if loading.systems.isEmpty, loading.mistakes.isEmpty {
                loading.mistakes = ["no system is named \(specs.system ?? ""), of those in the specs"]
            }
            if loading.mistakes.isEmpty { program.tellPassedOverState(of: loading.systems) }
            return loading
        }
        let run: @Sendable () async -> Void = {
            await loop.run(until: stop) { event in
                served?.take(event)
                lines.write(event)
            }
        }
        do throws(ServingError) {
            if let served { try await served(repositories, lines, while: run) } else { await run() }
        } catch {
            program.output.error(error.message)
            return .failure
        }
        if program.output.isBroken { program.output.error("what happened could not be written") }
        return program.output.isBroken ? .failure : .inSync
    }
}
