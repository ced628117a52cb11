import ClusterStatus
import ControlLoop
import Dispatch
import Execution
import GitMigrations
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
    /// Nil for a process that works alone.
    var replica: Replica?
    /// Nil serves nothing.
    var served: Served?

    /// - Parameters:
    ///   - repositories: empty watches the paths.
    ///   - cluster: the objects of a cluster instead of both.
    ///   - mirror: shows the systems of other specs in a cluster.
    func callAsFunction(
        _ repositories: [GitSource], _ cluster: ClusterRun? = nil, shownBy mirror: MirrorRun? = nil
    ) async -> Verdict {
        let stop = StopSignal()
        let signals = Program.onSignal { stop.raise() }
        defer { for signal in signals { signal.cancel() } }
        let source: any WatchedSource
        do throws(SourceError) {
            if let cluster {
                source = cluster.source
            } else if let only = repositories.first, repositories.count == 1 {
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
        /// What is wanted of a snapshot, as it is written.
        @Sendable func loading(_ snapshot: Snapshot) -> Loading { cluster?.loading(snapshot, specs) ?? program.loading(snapshot, specs) }
        let completed = SourceWithMigrations(source, program.repositories) { snapshot in
            let loading = loading(snapshot)
            return loading.mistakes.isEmpty ? loading.systems : []
        }
        let lines = LoopLines(output: program.output, form: form, now: program.reconciler.now)
        let options = PassOptions(
            adopts: adopt, holder: LockHolder.current(command: "reconcile", environment: program.variables, since: program.reconciler.now())
        )
        let duty = replica.map { _ in Duty() }
        let line = served?.line ?? LoopLine()
        let freed = FreedMemory()
        var probe = served?.probe ?? LoopProbe()
        probe.resting = { freed.giveBack() }
        let loop = Loop(
            reconciler: program.reconciler, source: completed, pace: LoopPace(resync: resync, concurrency: concurrency, grace: grace),
            options: options, duty: duty, line: line, probe: probe
        ) { snapshot in
            var loading = loading(snapshot)
            loading.systems = loading.systems.map(approval.applied)
            if cluster == nil, loading.systems.isEmpty, loading.mistakes.isEmpty {
                loading.mistakes = ["no system is named \(specs.system ?? ""), of those in the specs"]
            }
            if loading.mistakes.isEmpty {
                program.tellPassedOverState(of: loading.systems)
                mirror?.stage(snapshot, loading.systems)
            }
            return loading
        }
        @Sendable func run(telling reporter: ClusterReporter?) async {
            var loop = loop
            if let reporter { loop.options.promise = reporter.promise }
            let watched = loop
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await completed.run() }
                await watched.run(until: stop) { event in
                    served?.take(event)
                    lines.write(event)
                    mirror?.take(event)
                    if let reporter, let own = event.share(of: { duty?.covers($0) ?? true }) { reporter.take(own) }
                }
                group.cancelAll()
            }
        }
        let work: @Sendable () async -> Void = {
            await takingPart(duty, lines) {
                if let cluster {
                    await cluster.reporting { await run(telling: $0) }
                } else if let mirror {
                    await mirror.reporting(
                        isWhole: {
                            guard await completed.isWhole, let pulse = await line.pulse(within: .seconds(5)) else { return false }
                            return pulse.parts > 0 && pulse.partsNotApplied == 0
                        }, isOwn: { duty?.covers($0) ?? true }
                    ) { await run(telling: $0) }
                } else {
                    await run(telling: nil)
                }
            }
        }
        do throws(ServingError) {
            if let served { try await served({ repositories + program.repositories.sources }, lines, while: work) } else { await work() }
        } catch {
            program.output.error(error.message)
            return .failure
        }
        if program.output.isBroken { program.output.error("what happened could not be written") }
        return program.output.isBroken ? .failure : .inSync
    }

    /// Runs `body` as one of several replicas. The Lease is given back when everything under way has ended, and not before.
    private func takingPart(_ duty: Duty?, _ lines: LoopLines, _ body: @Sendable () async -> Void) async {
        guard let replica, let duty else { return await body() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await replica.run(duty, lines) { isLeader in served?.metrics.set(.leader, to: isLeader ? 1 : 0) }
            }
            await body()
            group.cancelAll()
        }
    }
}
