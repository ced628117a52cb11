import ControlLoop
import Execution
import Model
import ProviderKit
import Sources
import State
import Synchronization
import TestDoubles

struct FakeFlagTarget: FlagTarget {
    static let store = "fake"
    var identity = "flags"
}

/// A store in memory that counts its writes.
final class FakeFlagStore: FlagStore {
    private let inner: Mutex<Inner>
    private let time: Duration

    private struct Inner {
        var settings: [String: FlagSetting]
        var writes: [[String]] = []
        var isReachable = true
        var answers: [ApplyResult] = []
    }

    /// - Parameter propagation: how long applications see the old value.
    init(_ settings: [String: FlagSetting], propagation: Duration = .zero) {
        inner = Mutex(Inner(settings: settings))
        time = propagation
    }

    static let away = Problem("StoreUnreachable", "fake/flags: no answer", next: "mend it")

    var promise: FlagPromise { FlagPromise(isAtomic: true, propagation: time, killSemantics: "off") }
    var writes: [[String]] { inner.withLock { $0.writes } }
    subscript(name: String) -> FlagSetting? {
        get { inner.withLock { $0.settings[name] } }
        set { inner.withLock { $0.settings[name] = newValue } }
    }
    var isReachable: Bool {
        get { inner.withLock { $0.isReachable } }
        set { inner.withLock { $0.isReachable = newValue } }
    }

    /// What the next write is answered with, without taking effect unless it is lost.
    func answerNext(_ result: ApplyResult) { inner.withLock { $0.answers.append(result) } }

    func observe(_ names: [String], in target: FakeFlagTarget) async -> [String: FlagObservation] {
        inner.withLock { inner in
            Dictionary(
                uniqueKeysWithValues: names.map { name in
                    guard inner.isReachable else { return (name, FlagObservation(problem: Self.away)) }
                    return (name, FlagObservation(setting: inner.settings[name], marker: inner.settings[name]?.description))
                })
        }
    }

    func apply(_ changes: [FlagChange], to target: FakeFlagTarget, reason: String) async -> ApplyResult {
        inner.withLock { inner in
            guard inner.isReachable else { return .refused(Self.away) }
            let answer = inner.answers.isEmpty ? .accepted([:]) : inner.answers.removeFirst()
            switch answer {
            case .accepted, .unknown:
                for change in changes { inner.settings[change.name] = change.to }
                inner.writes.append(changes.map { "\($0.name) \($0.to)" })
            case .alreadySo, .refused, .throttled: break
            }
            return answer
        }
    }
}

extension Stage {
    /// A reconciler that keeps flags in `store`.
    func reconciler(_ store: FakeFlagStore) -> Reconciler {
        var reconciler = reconciler
        reconciler.flagStore = { _, _ in .success(AnyFlagStore(store)) }
        return reconciler
    }

    func pass(_ system: System, _ store: FakeFlagStore, at revision: Revision = .example, adopts: Bool = true) async -> PassReport {
        let options = options(adopts: adopts)
        return await time.run { [reconciler = reconciler(store)] in
            await reconciler.pass(
                system, of: .init(revision: revision, files: []), from: FakeSource(relation: .same), options, events: { _ in })
        }
    }

    func set(_ order: FlagOrder, of system: System, _ store: FakeFlagStore) async -> FlagReport {
        await time.run { [reconciler = reconciler(store)] in await reconciler.set(order, of: system, revision: .example) }
    }
}

extension FeatureFlag {
    static func make(_ name: String, _ setting: FlagSetting = .init(isOn: true), kill: Bool? = nil, guard: FlagGuard? = nil) -> FeatureFlag
    {
        FeatureFlag(name: name, setting: setting, kill: kill, guard: `guard`)
    }
}

extension System {
    static func make(_ release: String, flags: FeatureFlag..., verify: [Check] = []) -> System {
        var system = System.make(.make("web", release), verify: verify)
        system.flags = FeatureFlags(store: FakeFlagTarget(), flags: flags)
        return system
    }
}
