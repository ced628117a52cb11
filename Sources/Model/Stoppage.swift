/// Whether a component can be stopped so that nothing of it runs, and whether Belay has stopped it.
public enum Stoppage: Sendable, Hashable, Codable {
    /// It is not stopped by Belay, and can be.
    ///
    /// - Parameters:
    ///   - means: how, for people: `scale from 3 replicas to 0`.
    ///   - memory: what the provider has to know to bring it back, opaque to everybody else; holds no secret.
    ///   - cautions: what comes with it, for the plan.
    case possible(means: String, memory: String, cautions: [String] = [])
    /// It cannot be, and why.
    case impossible(Problem)
    /// Belay has asked for it, and something still runs, or may start; the text says what.
    ///
    /// - Parameter start: the way to have the declared release run again.
    case stopping(String, start: Route)
    /// Belay has stopped it: nothing of it runs, and nothing but Belay or a person starts it. Every way to a release starts it.
    ///
    /// - Parameter start: the way to have the declared release run again.
    case stopped(start: Route)

    /// What people are told of a component that Belay has stopped.
    public static let note = "stopped by Belay: its way to a release, its present one included, starts it again"

    /// The way to have the declared release run again; nil where it is not stopped by Belay.
    public var start: Route? {
        switch self {
        case .stopping(_, let start), .stopped(let start): start
        case .possible, .impossible: nil
        }
    }
}

/// A component that Belay has stopped, with what its provider has to know to bring it back.
public struct Stop: Sendable, Hashable, Codable {
    /// The provider's own; see ``Stoppage/possible(means:memory:cautions:)``.
    public var memory: String
    /// For people: how it was stopped.
    public var means: String
    /// The target, as its provider writes it.
    public var target: String
    /// The provider's name.
    public var provider: String

    public init(memory: String, means: String, target: String, provider: String) {
        self.memory = memory
        self.means = means
        self.target = target
        self.provider = provider
    }
}
