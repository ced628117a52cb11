public import Model

/// Keeps feature flags for the applications that read them.
public protocol FlagStore: Sendable {
    associatedtype Target: FlagTarget

    /// How the named flags are set; an entry for each. Changes nothing.
    func observe(_ names: [String], in target: Target) async -> [String: FlagObservation]

    /// Makes all changes at once, or none: a store that cannot do that says so in ``FlagPromise/isAtomic``. What it does not know is made.
    /// Rows, rules and flags that are not named are left alone.
    ///
    /// - Parameter reason: for the store's own history.
    func apply(_ changes: [FlagChange], to target: Target, reason: String) async -> ApplyResult

    /// What a reader of a plan should know of the store.
    var promise: FlagPromise { get }
}

/// What a flag store can be relied on for.
public struct FlagPromise: Sendable, Hashable {
    /// All changes of one call take effect together.
    public var isAtomic: Bool
    /// How long after a write applications may still see the old value.
    public var propagation: Duration
    /// What an application is served when a flag is off: `the variant off`.
    public var killSemantics: String

    public init(isAtomic: Bool, propagation: Duration, killSemantics: String) {
        self.isAtomic = isAtomic
        self.propagation = propagation
        self.killSemantics = killSemantics
    }
}

/// A flag store behind one type.
public struct AnyFlagStore: Sendable {
    public let name: String
    public let promise: FlagPromise
    private let observing: @Sendable ([String], any FlagTarget) async -> [String: FlagObservation]
    private let applying: @Sendable ([FlagChange], any FlagTarget, String) async -> ApplyResult

    public init<Store: FlagStore>(_ store: Store) {
        name = Store.Target.store
        promise = store.promise
        let mismatch = { @Sendable (target: any FlagTarget) in
            Problem(
                "WrongTarget", "a target of \(target.store) reached the flag store \(Store.Target.store)",
                next: "report this as a bug of Belay")
        }
        observing = { names, target in
            guard let own = target as? Store.Target else {
                return Dictionary(uniqueKeysWithValues: names.map { ($0, FlagObservation(problem: mismatch(target))) })
            }
            return await store.observe(names, in: own)
        }
        applying = { changes, target, reason in
            guard let own = target as? Store.Target else { return .refused(mismatch(target)) }
            return await store.apply(changes, to: own, reason: reason)
        }
    }

    /// See ``FlagStore/observe(_:in:)``.
    public func observe(_ names: [String], in target: any FlagTarget) async -> [String: FlagObservation] { await observing(names, target) }

    /// See ``FlagStore/apply(_:to:reason:)``.
    public func apply(_ changes: [FlagChange], to target: any FlagTarget, reason: String) async -> ApplyResult {
        await applying(changes, target, reason)
    }
}
