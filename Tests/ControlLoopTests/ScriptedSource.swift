import ControlLoop
import Execution
import Model
import Planning
import Sources
import SpecLoading
import State
import Synchronization
import TestDoubles

/// A source whose contents are a script in virtual time: by system, the component that it has and the release.
final class ScriptedSource: WatchedSource {
    enum Moment: Sendable {
        /// `["shop": "web v1"]`, or several components: `web v1, api v2`.
        case holds([String: String])
        case isBroken
        /// A revision that is there and cannot be read.
        case cannotBeRead
        case isGone
        case isOutOfReach([String: String])
        /// Several parts side by side, in the order of their names.
        case parts([String: Moment])
        /// The same, and all of them are to be let go of.
        indirect case leaving(Moment)
    }

    private let script: [(at: Duration, moment: Moment)]
    private let time: VirtualTime
    /// What loaded in a process before.
    private let before: Moment?
    private let accepted = Mutex<[String]>([])

    init(_ script: [(Duration, Moment)], _ time: VirtualTime, before: Moment? = nil) {
        self.script = script.map { ($0.0, $0.1) }
        self.time = time
        self.before = before
    }

    /// The revisions that loaded.
    var acceptedRevisions: [String] { accepted.withLock { $0 } }

    func accept(_ snapshot: Snapshot) async { accepted.withLock { $0.append(String(snapshot.revision.id.prefix(1))) } }

    func change() async throws {
        let next = script.first { $0.at > time.now.offset }?.at ?? .seconds(1_000_000)
        try await time.sleep(until: VirtualTime.Instant(offset: next), tolerance: nil)
    }

    private var index: Int { script.lastIndex { $0.at <= time.now.offset } ?? 0 }

    func holding() async throws(SourceError) -> Holding {
        var moment = script[index].moment
        var isLeaving = false
        if case .leaving(let inner) = moment { (moment, isLeaving) = (inner, true) }
        guard case .parts(let parts) = moment else {
            let lastGood = try before.map { moment throws(SourceError) in try self.snapshot(of: moment, at: 15) }
            if let lastGood, case .cannotBeRead = moment {
                let revision = Revision(.commit, String(repeating: "e", count: 40))
                return Holding([.init(.failure(SourceError(.refused, "it is not signed", of: revision)), lastGood: lastGood)])
            }
            let snapshot = try await snapshot()
            return Holding([.init(.success(snapshot), lastGood: lastGood)], troubles: snapshot.trouble.map { [$0] } ?? [])
        }
        return Holding(
            parts.sorted { $0.key < $1.key }.map { origin, moment in
                do throws(SourceError) {
                    var snapshot = try snapshot(of: moment, at: 0)
                    snapshot.revision = Revision(.digest, "\(moment)")
                    if isLeaving { snapshot.leaving = .restoringFences }
                    return Holding.Part(origin: origin, of: SystemID(name: origin), .success(snapshot))
                } catch {
                    return Holding.Part(origin: origin, of: SystemID(name: origin), .failure(error))
                }
            })
    }

    func snapshot() async throws(SourceError) -> Snapshot { try snapshot(of: script[index].moment, at: index) }

    private func snapshot(of moment: Moment, at index: Int) throws(SourceError) -> Snapshot {
        let revision = Revision(.commit, String(repeating: String(index, radix: 16), count: 40))
        func files(_ systems: [String: String]) -> [SourceFile] {
            systems.map { SourceFile(name: $0.key, bytes: Array($0.value.utf8)) }.sorted { $0.name < $1.name }
        }
        switch moment {
        case .parts, .leaving: throw SourceError(.refused, "several parts are no snapshot")
        case .holds(let systems): return Snapshot(revision: revision, files: files(systems))
        case .cannotBeRead: throw SourceError(.refused, "it is not signed", of: revision)
        case .isBroken: return Snapshot(revision: revision, files: [SourceFile(name: "shop", bytes: Array("broken".utf8))])
        case .isGone: throw SourceError(.notFound, "specs: no such file or directory")
        case .isOutOfReach(let systems):
            return Snapshot(
                revision: Revision(.commit, String(repeating: String(index - 1, radix: 16), count: 40)), files: files(systems),
                trouble: SourceError(.gitFailed, "git.example does not answer"))
        }
    }

    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation { .ancestor }

    static func load(_ snapshot: Snapshot) -> Loading {
        var loading = Loading(systems: [])
        for file in snapshot.files {
            let text = String(decoding: file.bytes, as: UTF8.self)
            guard text != "broken" else {
                loading.mistakes.append("\(file.name):1:1: broken")
                continue
            }
            var components: [Component] = []
            for part in text.split(separator: ",") {
                let words = part.split(separator: " ").map(String.init)
                components.append(.make(words[0], words[1], after: words.dropFirst(2).map { .component($0) }))
            }
            loading.systems.append(System(id: SystemID(name: file.name), components: components, origin: "\(file.name):1:1"))
        }
        return loading
    }
}

extension Stage {
    /// Runs the loop on a script until a moment of virtual time, then stops it; returns what it told, with the seconds.
    func loop(
        _ script: [(Duration, ScriptedSource.Moment)], for length: Duration, pace: LoopPace = LoopPace(), jitter: Double = 0,
        adopts: Bool = true, duties: [(Duration, Set<String>)]? = nil, before: ScriptedSource.Moment? = nil,
        source given: ScriptedSource? = nil
    ) async -> [String] {
        let told = Log<String>()
        let (time, stop, duty) = (time, StopSignal(), Duty())
        let source = given ?? ScriptedSource(script, time, before: before)
        let loop = Loop(
            reconciler: reconciler, source: source, pace: pace, options: options(adopts: adopts), jitter: { jitter },
            duty: duties == nil ? nil : duty,
            load: ScriptedSource.load)
        await time.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await loop.run(until: stop) { event in Self.words(event).map { told.append("\(Self.seconds(time)) \($0)") } }
                }
                for (moment, names) in duties ?? [] {
                    group.addTask {
                        do { try await time.sleep(for: moment) } catch { return }
                        duty.set { names.contains($0.name) }
                    }
                }
                group.addTask {
                    do { try await time.sleep(for: length) } catch { return }
                    stop.raise()
                }
            }
        }
        return told.all
    }

    private static func seconds(_ time: VirtualTime) -> Int { Int(time.now.offset.components.seconds) }

    private static func words(_ event: LoopEvent) -> String? {
        switch event {
        case .loaded(_, let systems, _): "loaded \(systems.map(\.name).joined(separator: ","))"
        case .rejected(_, let mistakes, let watched, let origin):
            "rejected\(origin.isEmpty ? "" : " \(origin)") \(mistakes.joined(separator: ";")), watching \(watched.map(\.name))"
        case .unreadable(let error, _, let origin): "unreadable\(origin.isEmpty ? "" : " \(origin)") \(error.message)"
        case .outOfReach(let error): "out of reach: \(error.message)"
        case .inReach: "in reach"
        case .left(let system): "left \(system.name)"
        case .letGo(let ended, _): "let go \(ended.system.name): \((ended.done + ended.problems.map(\.reason)).joined(separator: "; "))"
        case .tookOver(let systems, let event): words(event).map { "took over \(systems.map(\.name).joined(separator: ",")): \($0)" }
        case .unmoved(_, let systems): "unmoved \(systems.map(\.name).joined(separator: ","))"
        case .execution, .passed: nil
        case .ended(let report, let again):
            "\(report.system.name): \(report.headline)\(again.map { ", again in \($0.components.seconds) s" } ?? "")"
        case .interrupted(let report): "\(report.system.name): interrupted"
        case .observed(let system, .success(let difference)): "\(system.name): observed, \(difference.changes) changes"
        case .observed(let system, .failure(let problem)): "\(system.name): \(problem.reason)"
        case .stopping(let systems): "stopping \(systems.map(\.name))"
        case .stopped: "stopped"
        }
    }
}
