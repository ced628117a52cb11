import ArgumentParser
import ClusterSource
import ClusterStatus
import ControlLoop
import FoundationEssentials
import GitMigrations
import KubernetesAPI
import Model
import Planning
import Sources
import SpecLoading
import State
import Synchronization

/// The systems of specs in files or repositories, shown as `System` objects of a cluster that carry their status.
struct MirrorRun: Sendable {
    let program: Program
    private let client: KubernetesClient
    private let source: ClusterSource
    private let mirrors: Mirrors
    /// What revisions said of systems, until one of them is wanted.
    private let staged = Staged()
    /// Raised when other systems are wanted.
    private let changed = ChangeSignal()

    /// How often what is left over is looked for.
    private static let sweep = Duration.seconds(60)

    /// Throws the exit code after the reason has been told.
    init(_ name: String, context: String?, _ program: Program) throws {
        self.program = program
        let environment = ClusterEnvironment(variables: program.variables, now: program.reconciler.now)
        do throws(KubernetesError) {
            let connection = try ClusterConnection.load(context: context, environment: environment)
            client = KubernetesClient(connection, transport: program.reconciler.transport, userAgent: program.userAgent)
        } catch {
            program.output.error(error.description)
            throw ExitCode(Verdict.failure)
        }
        source = ClusterSource(client, choosing: "\(SystemObject.mirrorLabel)=\(name)", clock: program.reconciler.clock)
        mirrors = Mirrors(client, name: name, source: source)
    }

    /// Remembers what a snapshot says of its systems.
    func stage(_ snapshot: Snapshot, _ systems: [System]) {
        let names = Dictionary(grouping: systems) { $0.origin.split(separator: ":").dropLast(2).joined(separator: ":") }
        for file in snapshot.files {
            guard let own = names[file.name], !own.isEmpty else { continue }
            let specs = Program.loader.resources(in: file)
            let path = snapshot.plain(file.name)
            var annotations = [Mirrors.path: path]
            annotations[Mirrors.repository] = snapshot.address?.plainURL
            annotations[Mirrors.ref] = snapshot.address?.ref
            let place = snapshot.address.map { "\(path) of \($0.description)" } ?? path
            for system in own {
                guard let spec = specs[system.id] else { continue }
                staged.enter(system.id, snapshot.revision, Mirrors.Wanted(spec: spec, annotations: annotations, place: place))
            }
        }
    }

    /// What the loop tells, whoever works on the systems.
    func take(_ event: LoopEvent) {
        switch event {
        case .loaded(let revision, let systems, _):
            for system in systems { if let wanted = staged.take(system, of: revision) { mirrors.want(system, wanted) } }
            changed.raise()
        case .rejected(_, _, let systems, _), .unreadable(_, let systems, _):
            // Of a process before this one, where the newest revision does not load.
            for system in systems where !mirrors.wants(system) {
                if let wanted = staged.take(system, of: nil) { mirrors.want(system, wanted) }
            }
        case .left(let system):
            mirrors.unwant(system)
            changed.raise()
        default: break
        }
    }

    /// Runs `body` while what it tells is written to the mirrors; what is left then is written within five seconds.
    ///
    /// - Parameters:
    ///   - isWhole: whether everything was read that specs are in, and all of it loads.
    ///   - isOwn: whether this process works on a system.
    func reporting(
        isWhole: @escaping @Sendable () async -> Bool, isOwn: @escaping @Sendable (SystemID) -> Bool,
        _ body: (ClusterReporter) async -> Void
    ) async {
        let reporter = reporter()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await source.run() }
            group.addTask { await reporter.run() }
            group.addTask { for await news in mirrors.news { await tell(news, reporter) } }
            group.addTask { await restore(reporter, isOwn) }
            group.addTask { await tidy(isWhole, isOwn) }
            await body(reporter)
            reporter.finish()
            group.addTask { [clock = program.reconciler.clock] in
                do { try await clock.sleep(for: .seconds(5)) } catch {}
            }
            // The writing or the five seconds: the others have no end.
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: - Private

    private func tell(_ news: Mirrors.News, _ reporter: ClusterReporter) async {
        program.output.progress("note: \(news.object.id): \(news.message)\n")
        await reporter.tell(news.reason, news.message, of: news.object)
    }

    private func restore(_ reporter: ClusterReporter, _ isOwn: @Sendable (SystemID) -> Bool) async {
        while !Task.isCancelled {
            do { try await source.change() } catch { return }
            for system in await mirrors.altered() where isOwn(system) { reporter.refresh(system) }
            changed.raise()
        }
    }

    /// Takes away what shows systems that the specs do not name, soon after they name them no more. Not while anything of the specs cannot be
    /// read or does not load: it may name them.
    private func tidy(_ isWhole: @Sendable () async -> Bool, _ isOwn: @Sendable (SystemID) -> Bool) async {
        var told: Set<String> = []
        while !Task.isCancelled {
            await changedOrSwept()
            let left = await mirrors.leftOver().filter(isOwn)
            guard !left.isEmpty, await isWhole() else { continue }
            // What was read in between is not left over.
            for system in await mirrors.leftOver() where left.contains(system) {
                do throws(KubernetesError) { try await mirrors.remove(system) } catch {
                    if told.insert(error.message).inserted { program.output.progress("note: \(error.description)\n") }
                }
            }
        }
    }

    private func changedOrSwept() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { do { try await changed.wait() } catch {} }
            group.addTask { [clock = program.reconciler.clock] in
                do { try await clock.sleep(for: Self.sweep) } catch {}
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func reporter() -> ClusterReporter {
        let (mirrors, reconciler, output) = (mirrors, program.reconciler, program.output)
        return ClusterReporter(
            client, guards: false, instance: program.variables["POD_NAME"] ?? "reconcile", clock: reconciler.clock, now: reconciler.now,
            objects: { system throws(KubernetesError) in try await mirrors.mirror(of: system) },
            survey: { system, revision in
                do throws(StateError) { return try await reconciler.survey(system, revision: revision) } catch { return nil }
            },
            complain: { output.progress("note: \($0)\n") })
    }

    /// The newest that was said of each system, with its revision.
    private final class Staged: Sendable {
        private let entries = Mutex<[SystemID: (revision: Revision, wanted: Mirrors.Wanted)]>([:])

        func enter(_ system: SystemID, _ revision: Revision, _ wanted: Mirrors.Wanted) {
            entries.withLock { $0[system] = (revision, wanted) }
        }

        /// - Parameter revision: nil for any.
        func take(_ system: SystemID, of revision: Revision?) -> Mirrors.Wanted? {
            entries.withLock { entries in
                guard let entry = entries[system], revision == nil || entry.revision == revision else { return nil }
                return entry.wanted
            }
        }
    }
}
