/// What a provider, or somebody else's controller, does to a component by itself: deploying every push, for instance.
public struct Automation: Sendable, Hashable, Codable {
    /// The provider's own name of the switch, stable: `autoDeploy`.
    public var name: String
    /// What it does, for people: `deploys every push to main`.
    public var summary: String
    /// True if it can replace the pinned release by itself.
    public var isOn: Bool
    /// How it is set, in the provider's words: `commit`. What is brought back when the fence comes down.
    public var value: String
    /// The value that switches it off; nil when there is no switch, and only watching it is left.
    public var off: String?
    /// Who set it as it is, and when, where the provider tells.
    public var setBy: String?

    public init(name: String, summary: String, isOn: Bool, value: String, off: String?, setBy: String? = nil) {
        self.name = name
        self.summary = summary
        self.isOn = isOn
        self.value = value
        self.off = off
        self.setBy = setBy
    }
}

/// A fence that Belay has put up: an automation that it switched off, with what it was before.
public struct Fence: Sendable, Hashable, Codable {
    /// The automation's name.
    public var name: String
    /// Its value before; brought back when the pin is released, if the automation still has ``set``.
    public var previous: String
    /// The value that Belay gave it.
    public var set: String
    /// The target that it belongs to, as its provider writes it: a fence outlives the component in the spec.
    public var target: String
    /// The provider's name.
    public var provider: String

    public init(name: String, previous: String, set: String, target: String, provider: String) {
        self.name = name
        self.previous = previous
        self.set = set
        self.target = target
        self.provider = provider
    }
}

/// A switch of an automation to be turned.
public struct FenceChange: Sendable, Hashable, Codable {
    public enum Purpose: String, Sendable, Codable {
        case raise, lower
    }

    public var purpose: Purpose
    public var name: String
    /// What it is expected to be; equal to ``to`` where nothing but a look is expected.
    public var from: String
    public var to: String

    public init(_ purpose: Purpose, name: String, from: String, to: String) {
        self.purpose = purpose
        self.name = name
        self.from = from
        self.to = to
    }
}

/// Something else than what was pinned, or asked for, is declared: somebody, or something, changed it.
public struct Drift: Sendable, Hashable, Codable {
    public var resource: ResourceID
    /// The label of what was expected.
    public var expected: String
    /// The label of what is declared, and its artifact.
    public var found: String
    public var identity: ArtifactIdentity
    /// Who did it, and when, where the provider tells: `push of 9f2c1ab to main, 14:02`.
    public var cause: String?

    public init(resource: ResourceID, expected: String, found: String, identity: ArtifactIdentity, cause: String?) {
        self.resource = resource
        self.expected = expected
        self.found = found
        self.identity = identity
        self.cause = cause
    }
}
