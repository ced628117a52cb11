public import Model

/// A place where components run. Two verbs; everything else is observed.
///
/// A provider keeps nothing between calls but connections: killing the process after any line loses nothing.
public protocol Provider: Sendable {
    associatedtype Target: Model.Target

    /// Reads what runs and where one could go. Changes nothing, never throws: what could not be read is `unknown`, with the reason.
    ///
    /// - Cost: a few requests; with ``ObservationRequest/Depth/history`` as many as there are pages.
    func observe(_ target: Target, _ request: ObservationRequest) async -> Observation

    /// Sends the one write of a route. Returning ``ApplyResult/accepted(_:)`` means accepted, not finished: done is observed.
    ///
    /// The caller has made `intent` durable before. Sends at most one non-idempotent request, and never sends it again by itself.
    func apply(_ change: ReleaseChange, to target: Target, _ request: ApplyRequest) async -> ApplyResult
}

/// What an observation should find out beyond what runs.
public struct ObservationRequest: Sendable {
    public enum Depth: Sendable {
        /// What the pin needs, and a few candidates more for a helpful error.
        case pin
        /// Every release the provider still knows.
        case history
    }

    /// For messages: `web`.
    public var component: String
    /// The release to find a way to.
    public var pin: Pin
    /// What the pin was found to mean before; its identity must be among the candidates when it still exists.
    public var resolution: Resolution?
    /// A write whose fate the provider must tell.
    public var openIntent: Intent?
    public var depth: Depth
    public var takeOwnership: Bool
    public var allowRebuild: Bool

    public init(
        component: String, pin: Pin, resolution: Resolution? = nil, openIntent: Intent? = nil, depth: Depth = .pin,
        takeOwnership: Bool = false,
        allowRebuild: Bool = false
    ) {
        self.component = component
        self.pin = pin
        self.resolution = resolution
        self.openIntent = openIntent
        self.depth = depth
        self.takeOwnership = takeOwnership
        self.allowRebuild = allowRebuild
    }

    /// The request that a pass makes for a component.
    public init(_ component: Component, recorded: RecordedState, depth: Depth = .pin) {
        self.init(
            component: component.name, pin: component.release,
            resolution: recorded.resolutions[component.id].flatMap { $0.holds(for: component.target) ? $0 : nil },
            openIntent: recorded.openIntent(of: component), depth: depth, takeOwnership: component.takeOwnership,
            allowRebuild: component.allowRebuild)
    }
}

/// What a write carries beside the change itself.
public struct ApplyRequest: Sendable {
    /// For messages: `web`.
    public var component: String
    /// Its id goes into the provider's metadata, where there is a place for it.
    public var intent: Intent
    /// The revision that asked for it, for the provider's own records.
    public var revision: Revision

    public init(component: String, intent: Intent, revision: Revision) {
        self.component = component
        self.intent = intent
        self.revision = revision
    }
}

/// How a write was answered.
public enum ApplyResult: Sendable, Hashable, Codable {
    /// The provider took it; the facts (ids of what it made) go into the journal.
    case accepted([String: String])
    /// Nothing to do: the provider says that it is so already. To be verified by observing.
    case alreadySo
    /// Certainly without effect.
    case refused(Problem)
    /// Certainly without effect; to be tried again not before `retryAfter` of the problem.
    case throttled(Problem)
    /// It may have taken effect: read the world back before anything is sent again.
    case unknown(Problem)
}

/// A provider behind one type, so that a pass can hold different ones.
public struct AnyProvider: Sendable {
    public let name: String
    private let observing: @Sendable (any Target, ObservationRequest) async -> Observation
    private let applying: @Sendable (ReleaseChange, any Target, ApplyRequest) async -> ApplyResult

    public init<P: Provider>(_ provider: P) {
        name = P.Target.provider
        let mismatch = { @Sendable (target: any Target) in
            Problem(
                "WrongTarget", "a target of \(target.provider) reached the provider \(P.Target.provider)",
                next: "report this as a bug of Belay")
        }
        observing = { target, request in
            guard let own = target as? P.Target else { return .unknown(mismatch(target)) }
            return await provider.observe(own, request)
        }
        applying = { change, target, request in
            guard let own = target as? P.Target else { return .refused(mismatch(target)) }
            return await provider.apply(change, to: own, request)
        }
    }

    /// See ``Provider/observe(_:_:)``.
    public func observe(_ component: Component, _ request: ObservationRequest) async -> Observation {
        await observing(component.target, request)
    }

    /// See ``Provider/apply(_:to:_:)``.
    public func apply(_ change: ReleaseChange, to component: Component, _ request: ApplyRequest) async -> ApplyResult {
        await applying(change, component.target, request)
    }
}
