public import Model
public import Planning
public import ProviderKit

/// What became of a ``FlagOrder``.
public struct FlagReport: Sendable {
    public var system: SystemID
    public var flag: String
    /// `sql/main/feature_flags`.
    public var store: String
    public var before: FlagSetting?
    /// What the store shows now; nil when that is not known.
    public var after: FlagSetting?
    /// What applications are served, and how long they may still see the old value; nil when the store could not be used.
    public var promise: FlagPromise?
    public var isRecorded = false
    public var verdict: Verdict
    public var problem: Problem?

    init(_ system: SystemID, _ flag: String, _ store: String, _ verdict: Verdict, problem: Problem? = nil) {
        self.system = system
        self.flag = flag
        self.store = store
        self.verdict = verdict
        self.problem = problem
    }
}
