import ArgumentParser
import ClusterStatus
import ControlLoop
import Execution
import FoundationEssentials
import JSONValues
import Model
import Planning
import Reporting
import Sources
import SpecLoading
import State
import Synchronization
import TextLayout

/// `reconcile --once`: every system of the specs, side by side, with progress while it lasts and a summary at the end.
struct OnceRun: Sendable {
    var program: Program
    var form: OutputForm
    var adopt: Bool
    var force: Bool
    var approval: ApprovalOptions
    var timeout: Duration
    /// True if somebody said where state is kept.
    var isStatePlaced: Bool

    /// - Parameter sources: at least one; what tells them from each other, where there are several.
    func callAsFunction(_ specs: SpecOptions, from sources: [(origin: String, source: any SpecSource)]) async -> Verdict {
        guard let reports = await reports(specs, from: sources) else { return .failure }
        return show(reports)
    }

    /// The objects of a cluster: one that does not load is told, and stops no other.
    func callAsFunction(_ specs: SpecOptions, in cluster: ClusterRun) async -> Verdict {
        await cluster.reporting { reporter in
            guard let read = await cluster.read(specs, form, telling: reporter) else { return .failure }
            let work = read.systems.map { Work(system: $0.system, snapshot: $0.snapshot, source: read.source) }
            return max(show(await reports(of: work, telling: reporter)), read.isWhole ? .inSync : .failure)
        }
    }

    private func show(_ reports: [PassReport]) -> Verdict {
        switch form {
        case .json: program.output.result(.list("PassReportList", reports.map(\.json)))
        case .markdown: for report in reports { program.output.result(report.markdown) }
        case .text: for report in reports { program.output.result(report.text(program.output.style)) }
        }
        return verdict(of: reports)
    }

    /// How the passes ended, with progress while they last; nil after it has been told why there were none.
    func reports(_ specs: SpecOptions, from sources: [(origin: String, source: any SpecSource)]) async -> [PassReport]? {
        guard let work = await work(specs, from: sources) else { return nil }
        let systems = work.map(\.system)
        if !isStatePlaced, isJob, systems.contains(where: { $0.statePlace == nil }) {
            program.output.progress(
                "note: this is a CI job, and its state is kept where it may not outlive the job: then a write whose answer is lost cannot be "
                    + "recognised by the next one. Name a place that lasts, such as a cache or a volume: --state DIR, or state in the spec\n"
            )
        }
        return await reports(of: work, telling: nil)
    }

    private func reports(of work: [Work], telling reporter: ClusterReporter?) async -> [PassReport] {
        await withTaskGroup(of: (Int, PassReport).self) { group in
            for (index, one) in work.enumerated() {
                group.addTask {
                    let system = approval.applied(to: one.system)
                    let report = await reconcile(
                        system, of: one.snapshot, from: one.source, isAlone: work.count == 1, telling: reporter)
                    reporter?.take(.passed(report, again: .zero))
                    reporter?.take(.ended(report, again: nil))
                    return (index, report)
                }
            }
            var found: [Int: PassReport] = [:]
            for await (index, report) in group { found[index] = report }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private struct Work: Sendable {
        var system: System
        var snapshot: Snapshot
        var source: any SpecSource
    }

    /// Every system of every source, if all of them load; nil after it has been told what is wrong.
    private func work(_ specs: SpecOptions, from sources: [(origin: String, source: any SpecSource)]) async -> [Work]? {
        var parts: [(origin: String, systems: [System])] = []
        var work: [Work] = []
        for (origin, source) in sources {
            // A system that was chosen by its name is in one of them.
            guard let (snapshot, systems) = await program.systems(in: source, specs, form, isOneOfSeveral: sources.count > 1) else {
                return nil
            }
            await source.accept(snapshot)
            parts.append((origin, systems))
            work += systems.map { Work(system: $0, snapshot: snapshot, source: source) }
        }
        let mistakes = contests(between: parts)
        guard mistakes.isEmpty else {
            program.tell(mistakes, form)
            return nil
        }
        guard !work.isEmpty else {
            program.tell(["no system is named \(specs.system ?? ""), of those in the repositories"], form)
            return nil
        }
        return work
    }

    /// The worst of them, once they are in the job's summary and the result is written.
    func verdict(of reports: [PassReport]) -> Verdict {
        writeJobSummary(reports)
        if program.output.isBroken { program.output.error("the result could not be written") }
        return max(reports.map(\.verdict).max() ?? .inSync, program.output.isBroken ? .failure : .inSync)
    }

    /// Every CI of some spread sets this variable.
    private var isJob: Bool { !["", "false", "0"].contains(program.variables["CI"] ?? "") }

    private func reconcile(
        _ system: System, of snapshot: Snapshot, from source: any SpecSource, isAlone: Bool,
        telling reporter: ClusterReporter?
    ) async -> PassReport {
        let isStandardInput = snapshot.files.contains { $0.name == "<stdin>" }
        let progress = Mutex(
            ProgressText(
                style: program.output.errorStyle, isLive: program.output.isLive && isAlone, prefix: isAlone ? "" : "\(system.id): "))
        let holder = LockHolder.current(command: "reconcile --once", environment: program.variables, since: program.reconciler.now())
        let options = PassOptions(
            adopts: adopt, forces: force, holder: holder,
            // Standard input can be read only once.
            isSuperseded: { isStandardInput ? false : await source.supersedes(snapshot) },
            promise: { await reporter?.promise(to: $0) })
        return await withTaskCancellationHandler {
            await program.reconciler.reconcile(
                system, of: snapshot, from: source, within: timeout, options,
                waiting: { report, pause in
                    reporter?.take(.passed(report, again: pause))
                    let why = report.problems.first?.message ?? "something is under way"
                    let seconds = max(1, pause.components.seconds)
                    program.output.progress("\(isAlone ? "" : "\(system.id): ")\(why); looking again in \(seconds) s\n")
                },
                events: { event in
                    reporter?.take(.execution(system.id, event))
                    // Written before the next may be drawn: each takes the lines of the one before back.
                    progress.withLock { progress in
                        let text = progress.text(for: event)
                        if !text.isEmpty { program.output.progress(text) }
                    }
                })
        } onCancel: {
            progress.withLock { $0.endLiveDisplay() }
        }
    }

    /// GitHub Actions shows this file beside the job:
    /// https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
    private func writeJobSummary(_ reports: [PassReport]) {
        guard let path = program.variables["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let present = FileManager.default.contents(atPath: path) ?? Data()
        do {
            try (present + Data(reports.map(\.markdown).joined().utf8)).write(to: URL(filePath: path))
        } catch {
            program.output.error("the job summary \(path) cannot be written")
        }
    }
}
