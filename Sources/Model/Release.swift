/// What two releases have in common when they are the same artifact, whatever id a provider gives the second one.
public struct ArtifactIdentity: Sendable, Hashable, Codable, CustomStringConvertible {
    public enum Kind: String, Sendable, Codable {
        case deployment, commit, image, template
        /// A position in a database's migrations.
        case schema
        /// How a flag is set.
        case setting
    }

    public var kind: Kind
    public var value: String

    public init(_ kind: Kind, _ value: String) {
        self.kind = kind
        self.value = value
    }

    public var description: String { "\(kind.rawValue):\(value)" }
}

/// A name that a pin may use for a release, and the artifact that the name denotes.
public struct ReleaseName: Sendable, Hashable, Codable {
    /// The order of the cases is the order in which a scalar pin is tried.
    public enum Kind: Int, Sendable, Codable, Comparable {
        /// `dpl_…`, `v87`, `dep-…`, a deployment's host name.
        case deployment
        case revision
        /// A version, an image tag, a digest, or a whole image reference.
        case image
        /// A full Git commit; a pin may give its first seven digits or more.
        case commit

        public static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    public var kind: Kind
    public var value: String
    public var denotes: ArtifactIdentity

    public init(_ kind: Kind, _ value: String, denotes: ArtifactIdentity) {
        self.kind = kind
        self.value = value
        self.denotes = denotes
    }
}

/// One release as a provider tells of it.
public struct Release: Sendable, Hashable, Codable {
    /// For people, short, unique among a component's candidates: `v1.41.3 (revision 12)`.
    public var label: String
    public var names: [ReleaseName]
    /// Artifacts that this release is, beyond those its names denote: the one it was rebuilt from, for instance.
    public var lineage: [ArtifactIdentity]
    /// By the provider's own clock; the order of two releases of one component follows from it when nothing recorded says otherwise.
    public var created: Timestamp?
    /// Commit message, author, change cause: one line for `history`.
    public var note: String?

    public init(label: String, names: [ReleaseName], lineage: [ArtifactIdentity] = [], created: Timestamp? = nil, note: String? = nil) {
        self.label = label
        self.names = names
        self.lineage = lineage
        self.created = created
        self.note = note
    }

    /// Everything this release is identical with.
    public var identities: Set<ArtifactIdentity> { Set(names.map(\.denotes)).union(lineage) }

    /// The value of its most specific name: the provider's own id of it.
    public var id: String? { names.min { $0.kind < $1.kind }?.value }

    /// True if one of its names denotes that artifact, or its lineage holds it. Allocates nothing.
    public func isIdentical(with identity: ArtifactIdentity) -> Bool {
        names.contains { $0.denotes == identity } || lineage.contains(identity)
    }

    /// True if this is the pinned artifact, under whatever id. Allocates nothing.
    public func matches(_ resolution: Resolution) -> Bool {
        isIdentical(with: resolution.identity) || resolution.lineage.contains { isIdentical(with: $0) }
    }
}

/// What a pin was found to mean: recorded once per revision, compared with what is live ever after.
public struct Resolution: Sendable, Hashable, Codable {
    public var pin: Pin
    public var identity: ArtifactIdentity
    /// Other identities of the same artifact, collected as providers gave it new ones.
    public var lineage: [ArtifactIdentity]
    /// For people: the release's label when the pin was resolved.
    public var label: String
    public var revision: Revision
    /// The target's scope that it was resolved for; nil for what has none.
    public var scope: String?

    public init(
        pin: Pin, identity: ArtifactIdentity, lineage: [ArtifactIdentity] = [], label: String, revision: Revision, scope: String? = nil
    ) {
        self.pin = pin
        self.identity = identity
        self.lineage = lineage
        self.label = label
        self.revision = revision
        self.scope = scope
    }

    /// True if both mean the same artifact, by identity or by lineage.
    public func isSameArtifact(as other: Resolution) -> Bool {
        func holds(_ resolution: Resolution, _ identity: ArtifactIdentity) -> Bool {
            resolution.identity == identity || resolution.lineage.contains(identity)
        }
        return holds(other, identity) || lineage.contains { holds(other, $0) }
    }
}

extension Resolution {
    /// False if it was found for another target, which the component has had before: a tag means another image there.
    public func holds(for target: any Target) -> Bool { scope == nil || scope == target.scope }
}

/// Undo, promote or redeploy: how a release comes back.
public enum Verb: String, Sendable, Codable, CaseIterable {
    /// It ran here before and its artifact was kept.
    case undo
    /// It is built and never served.
    case promote
    /// It must be built or rolled out again.
    case redeploy
}

/// What a step costs the users of the system. Ordered from cheap to dear.
public enum StepClass: String, Sendable, Codable, CaseIterable, Comparable {
    case instant
    /// A build or a rollout that takes minutes.
    case minutes
    case downtime
    case dataLoss = "data-loss"

    public static func < (left: StepClass, right: StepClass) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .instant: 0
        case .minutes: 1
        case .downtime: 2
        case .dataLoss: 3
        }
    }
}

/// One way to a release.
public struct Route: Sendable, Hashable, Codable {
    public var verb: Verb
    /// The provider's own operation, for people: `instant rollback`, `rollout undo to revision 12`.
    public var means: String
    public var `class`: StepClass
    /// What the provider needs to walk it; opaque to everybody else, holds no secret.
    public var token: String
    /// What is sent now, of a way that takes several writes; opaque as the token. Each write is an intent of its own, and the observation
    /// after it names the next part. Nil for a way of one write.
    public var part: String?
    /// The configuration key whose value the part writes; nil for any other part. When the answer is lost and the effect is observed all the
    /// same, the key's value is known from it, though it cannot be read back.
    public var key: String?
    /// True if sending it twice has the effect of sending it once.
    public var isIdempotent: Bool
    /// What comes with it, for the plan: `switches domain auto-assignment off`, `takes the image over from kubectl`.
    public var cautions: [String]
    /// Why it must not be walked; nil when it may.
    public var refusal: Problem?

    public init(
        _ verb: Verb, means: String, class: StepClass, token: String, part: String? = nil, key: String? = nil, isIdempotent: Bool,
        cautions: [String] = [],
        refusal: Problem? = nil
    ) {
        self.verb = verb
        self.means = means
        self.class = `class`
        self.token = token
        self.part = part
        self.key = key
        self.isIdempotent = isIdempotent
        self.cautions = cautions
        self.refusal = refusal
    }
}

/// A release that a component could run, with the ways to it.
public struct Candidate: Sendable, Hashable, Codable {
    public var release: Release
    /// Empty when the artifact is gone; ``gone`` then says why.
    public var routes: [Route]
    public var gone: Problem?

    public init(_ release: Release, routes: [Route], gone: Problem? = nil) {
        self.release = release
        self.routes = routes
        self.gone = gone
    }
}
