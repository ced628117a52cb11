import ArgumentParser
import ClusterSource
import ClusterStatus
import ControlLoop
import KubernetesAPI
import Model
import Planning
import Sources
import State

/// The `System` objects of a cluster as the specs of a run, with what is written back to them.
struct ClusterRun: Sendable {
    let program: Program
    let source: ClusterSource
    let specs: ClusterSpecs
    private let client: KubernetesClient
    private let watches: Bool

    /// Throws the exit code after the reason has been told.
    init(_ options: ClusterOptions, _ program: Program, watches: Bool) throws {
        self.program = program
        self.watches = watches
        let environment = ClusterEnvironment(variables: program.variables, now: program.reconciler.now)
        do throws(KubernetesError) {
            let connection = try ClusterConnection.load(context: options.context, environment: environment)
            client = KubernetesClient(connection, transport: program.reconciler.transport, userAgent: program.userAgent)
        } catch {
            program.output.error(error.description)
            throw ExitCode(Verdict.failure)
        }
        source = ClusterSource(client, namespaces: options.namespaces, watches: watches, clock: program.reconciler.clock)
        specs = ClusterSpecs(Program.loader, allowing: options.allowed, sharingWith: options.sharedHosts)
    }

    func loading(_ snapshot: Snapshot, _ chosen: SpecOptions) -> Loading {
        var loading = specs.loading(snapshot)
        loading.systems = loading.systems.filter { chosen.names($0.id) }
        return loading
    }

    /// Runs `body` while objects are watched and what it tells the reporter is written to them; what is left then is written within five seconds.
    func reporting<Value: Sendable>(_ body: (ClusterReporter) async -> Value) async -> Value {
        let reporter = reporter()
        return await withTaskGroup(of: Void.self) { group in
            if watches { group.addTask { await source.run() } }
            group.addTask { await reporter.run() }
            let value = await body(reporter)
            reporter.finish()
            group.addTask { [clock = program.reconciler.clock] in
                do { try await clock.sleep(for: .seconds(5)) } catch {}
            }
            // The writing, the watching or the five seconds: of these the watching alone has no end.
            await group.next()
            group.cancelAll()
            return value
        }
    }

    private func reporter() -> ClusterReporter {
        let (source, reconciler, output) = (source, program.reconciler, program.output)
        return ClusterReporter(
            client, guards: true, instance: program.variables["POD_NAME"] ?? "reconcile", clock: reconciler.clock, now: reconciler.now,
            objects: { await source.object($0) },
            survey: { system, revision in
                do throws(StateError) { return try await reconciler.survey(system, revision: revision) } catch { return nil }
            },
            complain: { output.progress("note: \($0)\n") })
    }
}
