public import Model

/// What can be written about a system. Each entry is atomic: it is there as a whole or not at all.
public enum JournalEntry: Sendable, Hashable {
    /// A revision was accepted without anything to write; the first one is the baseline.
    case accepted(Acceptance)
    /// A transition was opened, and its revision accepted with it.
    case opened(Opened)
    /// A write is about to be sent.
    case intent(Intent)
    /// What became of a write.
    case receipt(Receipt)
    /// A release is served and healthy.
    case reached(Reached)
    /// Something that a transition owed was done.
    case paid(Payment)
    /// A transition has ended.
    case closed(Closing)
    /// A provider's automation is about to be switched, or has been.
    case fence(Fencing)
    /// A component is about to be stopped, or has been.
    case stop(Stopping)
    /// Somebody else changed what is declared.
    case drift(Drift)
    /// A flag was set, or was seen to be as it is pinned.
    case flag(FlagRecord)
    /// Everything that is recorded of a component was let go of.
    case forgotten(Forgetting)

    public struct Acceptance: Sendable, Hashable, Encodable {
        public var revision: Revision
        public var resolutions: [ResourceID: Resolution]
        public var releases: [ResourceID: ReleaseRecord]

        public init(revision: Revision, resolutions: [ResourceID: Resolution] = [:], releases: [ResourceID: ReleaseRecord] = [:]) {
            self.revision = revision
            self.resolutions = resolutions
            self.releases = releases
        }
    }

    public struct Opened: Sendable, Hashable, Encodable {
        public var transition: Transition
        /// What the pins of the revision mean.
        public var resolutions: [ResourceID: Resolution]
        /// The id of the transition whose obligations this one inherited.
        public var supersedes: String?

        public init(transition: Transition, resolutions: [ResourceID: Resolution], supersedes: String? = nil) {
            self.transition = transition
            self.resolutions = resolutions
            self.supersedes = supersedes
        }
    }

    public struct Receipt: Sendable, Hashable, Encodable {
        public enum Ending: String, Sendable, Encodable, CaseIterable {
            /// The provider took it. The intent stays open until the effect is observed.
            case accepted
            /// No answer that tells. The intent stays open.
            case unknown
            /// Nothing was to be done.
            case alreadySo
            /// Certainly without effect.
            case refused
            case throttled
            /// Its effect was observed.
            case tookEffect
            /// It ended without leading there.
            case failed
            /// It certainly has none: it may be sent again.
            case void

            public var closesIntent: Bool { self != .accepted && self != .unknown }
        }

        public var intent: String
        public var resource: ResourceID
        public var ending: Ending
        /// What the provider told: ids of what it made.
        public var facts: [String: String]
        /// What was written of the configuration, by key.
        public var configuration: [String: ConfigurationEntry]
        public var problem: Problem?

        public init(
            _ intent: Intent, _ ending: Ending, facts: [String: String] = [:], configuration: [String: ConfigurationEntry] = [:],
            problem: Problem? = nil
        ) {
            self.init(
                intent: intent.id, resource: intent.resource, ending: ending, facts: facts, configuration: configuration, problem: problem)
        }

        init(
            intent: String, resource: ResourceID, ending: Ending, facts: [String: String], configuration: [String: ConfigurationEntry],
            problem: Problem?
        ) {
            self.intent = intent
            self.resource = resource
            self.ending = ending
            self.facts = facts
            self.configuration = configuration
            self.problem = problem
        }
    }

    public struct Reached: Sendable, Hashable, Encodable {
        public var resource: ResourceID
        /// Its resolution replaces the remembered one: the lineage has grown.
        public var record: ReleaseRecord

        public init(_ resource: ResourceID, _ record: ReleaseRecord) {
            self.resource = resource
            self.record = record
        }
    }

    public struct Payment: Sendable, Hashable, Encodable {
        public var transition: String
        public var obligation: Obligation
        /// What passed the checks, and is good by that.
        public var releases: [ResourceID: ReleaseRecord]

        public init(transition: String, _ obligation: Obligation, releases: [ResourceID: ReleaseRecord] = [:]) {
            self.transition = transition
            self.obligation = obligation
            self.releases = releases
        }
    }

    public struct Fencing: Sendable, Hashable, Encodable {
        public enum Stage: String, Sendable, Encodable, CaseIterable {
            /// The previous value is durable; the request follows.
            case raising
            /// The automation was observed to be off.
            case raised
            case lowering
            /// The previous value was observed, or somebody else had changed it: nothing is owed any more.
            case lowered
        }

        public var resource: ResourceID
        public var stage: Stage
        public var fence: Fence

        public init(_ resource: ResourceID, _ stage: Stage, _ fence: Fence) {
            self.resource = resource
            self.stage = stage
            self.fence = fence
        }
    }

    public struct Stopping: Sendable, Hashable, Encodable {
        public enum Stage: String, Sendable, Encodable, CaseIterable {
            /// What brings it back is durable; the request follows.
            case stopping
            /// Nothing of it was observed to run any more.
            case stopped
            /// The request was certainly without effect.
            case refused
        }

        public var resource: ResourceID
        public var stage: Stage
        public var stop: Stop

        public init(_ resource: ResourceID, _ stage: Stage, _ stop: Stop) {
            self.resource = resource
            self.stage = stage
            self.stop = stop
        }
    }

    public struct Forgetting: Sendable, Hashable, Encodable {
        public var resource: ResourceID
        /// True if its fence was left up: nobody will take it down.
        public var leavesFence: Bool

        public init(_ resource: ResourceID, leavesFence: Bool = false) {
            self.resource = resource
            self.leavesFence = leavesFence
        }
    }

    public struct Closing: Sendable, Hashable, Encodable {
        public var transition: String
        public var releases: [ResourceID: ReleaseRecord]

        public init(transition: String, releases: [ResourceID: ReleaseRecord]) {
            self.transition = transition
            self.releases = releases
        }
    }
}

extension JournalEntry: Encodable {
    /// The kinds, which are also the key of the entry's own part in a journal line.
    public enum Kind: String, Sendable, CodingKey, CaseIterable {
        case accepted, opened, intent, receipt, reached, paid, closed, fence, stop, drift, flag, forgotten
    }

    public var kind: Kind {
        switch self {
        case .accepted: .accepted
        case .opened: .opened
        case .intent: .intent
        case .receipt: .receipt
        case .reached: .reached
        case .paid: .paid
        case .closed: .closed
        case .fence: .fence
        case .stop: .stop
        case .drift: .drift
        case .flag: .flag
        case .forgotten: .forgotten
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Kind.self)
        switch self {
        case .accepted(let value): try container.encode(value, forKey: .accepted)
        case .opened(let value): try container.encode(value, forKey: .opened)
        case .intent(let value): try container.encode(value, forKey: .intent)
        case .receipt(let value): try container.encode(value, forKey: .receipt)
        case .reached(let value): try container.encode(value, forKey: .reached)
        case .paid(let value): try container.encode(value, forKey: .paid)
        case .closed(let value): try container.encode(value, forKey: .closed)
        case .fence(let value): try container.encode(value, forKey: .fence)
        case .stop(let value): try container.encode(value, forKey: .stop)
        case .drift(let value): try container.encode(value, forKey: .drift)
        case .flag(let value): try container.encode(value, forKey: .flag)
        case .forgotten(let value): try container.encode(value, forKey: .forgotten)
        }
    }
}
