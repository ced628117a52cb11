internal import FoundationEssentials
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

    /// Reads several components, each of them to what ``observe(_:_:)`` says of it. In place of it where lists tell what is asked.
    ///
    /// What was read before the call answers nothing: whoever asks wants to know how it is now. What fails for one is told of that one.
    ///
    /// - Returns: an observation for each question, in their order.
    /// - Cost: by itself each; with lists as few requests as there are pages.
    func observe(all questions: [ObservationQuestion<Target>]) async -> [Observation]

    /// Sends the one write of a route. Returning ``ApplyResult/accepted(_:)`` means accepted, not finished: done is observed.
    ///
    /// The caller has made `intent` durable before. Sends at most one non-idempotent request, and never sends it again by itself.
    func apply(_ change: ReleaseChange, to target: Target, _ request: ApplyRequest) async -> ApplyResult

    /// Sets the automation that an observation told of to one of its values. Idempotent; one request. Done is observed.
    func setAutomation(_ change: FenceChange, of target: Target, _ request: ApplyRequest) async -> ApplyResult

    /// Stops the component so that nothing of it runs or starts by itself. Idempotent. Done is observed, as ``Stoppage/stopped(start:)``.
    ///
    /// The caller has made `stop` durable before: with it, ``apply(_:to:_:)`` of any way brings the component back as it was.
    func stop(_ target: Target, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult
}

extension Provider {
    public func observe(all questions: [ObservationQuestion<Target>]) async -> [Observation] {
        await questions.observations { await observe($0.target, $0.request) }
    }

    public func stop(_ target: Target, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        .refused(Problem("CannotStop", "\(Target.provider)/\(request.component): it cannot be stopped"))
    }

    public func setAutomation(_ change: FenceChange, of target: Target, _ request: ApplyRequest) async -> ApplyResult {
        .refused(Problem("NoSwitch", "\(Target.provider)/\(request.component): \(change.name) cannot be switched"))
    }
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
    /// What the configuration must be; nil when it is not managed.
    public var configuration: DesiredConfiguration?
    /// True if ``Observation/configuration`` is wanted even where it costs requests and is not managed. It is wanted as well when the pin is
    /// not what is declared, because a plan compares it with what was recorded.
    public var readsConfiguration: Bool
    /// Turns values into what may be remembered of them.
    public var keeper: ConfigurationKeeper
    /// What was last known of the settings, by key: markers tell whether somebody changed what cannot be read back.
    public var knownConfiguration: [String: ConfigurationEntry]
    /// The component's releases that were recorded, the oldest first: with what configuration each is known to have run.
    public var records: [ReleaseRecord]
    /// How Belay has stopped it, or was about to; nil when it has not.
    public var stop: Stop?

    public init(
        component: String, pin: Pin, resolution: Resolution? = nil, openIntent: Intent? = nil, depth: Depth = .pin,
        takeOwnership: Bool = false, allowRebuild: Bool = false, configuration: DesiredConfiguration? = nil,
        readsConfiguration: Bool = false, keeper: ConfigurationKeeper = .none, knownConfiguration: [String: ConfigurationEntry] = [:],
        records: [ReleaseRecord] = [], stop: Stop? = nil
    ) {
        self.component = component
        self.pin = pin
        self.resolution = resolution
        self.openIntent = openIntent
        self.depth = depth
        self.takeOwnership = takeOwnership
        self.allowRebuild = allowRebuild
        self.configuration = configuration
        self.readsConfiguration = readsConfiguration
        self.keeper = keeper
        self.knownConfiguration = knownConfiguration
        self.records = records
        self.stop = stop
    }

    /// Whether a build, by the provider's own id, is known to have run with a value; nil when nothing that was recorded tells.
    public func ran(_ deployment: String, with key: String, _ fingerprint: String) -> Bool? {
        let record = records.last { $0.deployment == deployment && $0.configuration?[key]?.ran == true }
        return record?.configuration?[key]?.fingerprint.map { $0 == fingerprint }
    }

    /// The request that a pass makes for a component.
    ///
    /// - Parameters:
    ///   - resolution: what the pin means in the plan that is carried out; nil for what was recorded.
    ///   - configuration: nil when the component's configuration is not managed.
    public init(
        _ component: Component, recorded: RecordedState, resolution: Resolution? = nil, configuration: DesiredConfiguration? = nil,
        readsConfiguration: Bool = false, keeper: ConfigurationKeeper = .none, depth: Depth = .pin
    ) {
        self.init(
            component: component.name, pin: component.release,
            resolution: resolution ?? recorded.resolutions[component.id].flatMap { $0.holds(for: component.target) ? $0 : nil },
            openIntent: recorded.openIntent(of: component), depth: depth, takeOwnership: component.takeOwnership,
            allowRebuild: component.allowRebuild, configuration: configuration,
            readsConfiguration: readsConfiguration, keeper: keeper,
            knownConfiguration: recorded.configurations[component.id] ?? [:], records: recorded.releases[component.id] ?? [],
            stop: recorded.stop(of: component))
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
    /// What the configuration must be; nil when it is not managed.
    public var configuration: DesiredConfiguration?
    public var keeper: ConfigurationKeeper
    /// How Belay has stopped it; nil when it has not. A change of release starts it again.
    public var stop: Stop?

    public init(
        component: String, intent: Intent, revision: Revision, configuration: DesiredConfiguration? = nil,
        keeper: ConfigurationKeeper = .none, stop: Stop? = nil
    ) {
        self.component = component
        self.intent = intent
        self.revision = revision
        self.configuration = configuration
        self.keeper = keeper
        self.stop = stop
    }
}

/// How a write was answered.
public enum ApplyResult: Sendable, Hashable, Codable {
    /// The provider took it; the facts (ids of what it made) go into the journal.
    ///
    /// - Parameter configuration: what was written of values that cannot be read back, by key: with the fingerprint of the desired value and
    ///   the provider's marker of it, so that the next observation knows them.
    case accepted([String: String], configuration: [String: ConfigurationEntry] = [:])
    /// Nothing to do: the provider says that it is so already. To be verified by observing.
    case alreadySo
    /// Certainly without effect.
    case refused(Problem)
    /// Certainly without effect; to be tried again not before `retryAfter` of the problem.
    case throttled(Problem)
    /// It may have taken effect: read the world back before anything is sent again.
    case unknown(Problem)
}

extension Target {
    /// The target as JSON, to be remembered with a fence; ``ProviderRegistration/target`` reads it.
    public var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A target is a few strings: it can always be written.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

extension Target {
    /// True if it is what was written so, however the rest of the target was written then.
    fileprivate func isWritten(as text: String) -> Bool {
        // What this version cannot read is another target, unless it is written exactly so.
        (try? JSONDecoder().decode(Self.self, from: Data(text.utf8))).map { $0.identity == identity } ?? (text == self.text)
    }
}

extension Fence {
    /// True if it belongs to what `target` names, however the rest of the target was written when it was put up.
    public func stands(at target: any Target) -> Bool { provider == target.provider && target.isWritten(as: self.target) }
}

extension RecordedState {
    /// How the component's present target was stopped; nil when Belay has not stopped it.
    public func stop(of component: Component) -> Stop? {
        stops[component.id].flatMap { stop in
            stop.provider == component.target.provider && component.target.isWritten(as: stop.target) ? stop : nil
        }
    }
}
