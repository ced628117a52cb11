/// How long a lease lives and how its holder keeps it: the semantics and the defaults of Kubernetes' own components.
public struct LeaseTiming: Sendable, Hashable {
    /// Without a sign for this long, by the clock of whoever looks, a holder counts as dead.
    public var lease: Duration
    /// A holder that could not renew for this long stops before anybody else can begin.
    public var renewal: Duration
    /// Between two tries.
    public var retry: Duration

    public init(lease: Duration = .seconds(15), renewal: Duration = .seconds(10), retry: Duration = .seconds(2)) {
        self.lease = lease
        self.renewal = renewal
        self.retry = retry
    }

    /// Why these three do not go together; nil when they do.
    public var mistake: String? {
        if lease <= renewal { return "the lease must be longer than the time for its renewal" }
        if renewal <= retry * 6 / 5 { return "the time for a renewal must be longer than six fifths of the pause between two tries" }
        // A lease says its duration in whole seconds.
        return lease < .seconds(1) ? "the lease must last for a second at least" : nil
    }
}
