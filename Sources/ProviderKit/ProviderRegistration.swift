internal import FoundationEssentials
public import Model
public import SpecFields

/// Everything that the program needs to know of a provider: one line in its list adds one.
public struct ProviderRegistration: Sendable {
    /// Also the key of its target in a spec: `vercel`.
    public var name: String
    public var targetKind: TargetKind
    /// Reads a target as ``Target/text`` writes it; nil for anything else.
    public var target: @Sendable (_ text: String) -> (any Target)?
    /// Environment variables whose values are secrets, for redaction.
    public var secretVariables: [String]
    /// What it needs to be allowed in a cluster.
    public var permissions: [ClusterPermission]
    /// Reads endpoint and credentials; sends nothing. Fails with what to set and where to get it.
    public var connect: @Sendable (ProviderEnvironment) -> Result<AnyProvider, Problem>

    public init<P: Provider>(
        _ provider: P.Type, doc: String, hasReleases: Bool = true, secretVariables: [String], permissions: [ClusterPermission] = [],
        connect: @escaping @Sendable (ProviderEnvironment) -> Result<P, Problem>
    ) where P.Target: SpecObject {
        name = P.Target.provider
        targetKind = TargetKind(P.Target.self, doc, hasReleases: hasReleases)
        target = { text in try? JSONDecoder().decode(P.Target.self, from: Data(text.utf8)) }  // Nil is the answer.
        self.secretVariables = secretVariables
        self.permissions = permissions
        self.connect = { environment in connect(environment).map(AnyProvider.init) }
    }
}

/// The providers of a process, connected when they are first needed and then kept, because a connection holds caches.
public actor ProviderRegistry {
    private let registrations: [String: ProviderRegistration]
    private let environment: ProviderEnvironment
    private var connected: [String: Result<AnyProvider, Problem>] = [:]

    public init(_ registrations: [ProviderRegistration], environment: ProviderEnvironment) {
        self.registrations = Dictionary(registrations.map { ($0.name, $0) }) { first, _ in first }
        self.environment = environment
    }

    /// Where a fence stands; nil for the target of a provider that this program does not know.
    public func target(of fence: Fence) -> (any Target)? { registrations[fence.provider]?.target(fence.target) }

    /// The provider of a component, or why it cannot be used. A failure is not remembered: credentials may be mounted later.
    public func provider(of component: Component) -> Result<AnyProvider, Problem> {
        let name = component.target.provider
        if case .success(let provider)? = connected[name] { return .success(provider) }
        guard let registration = registrations[name] else {
            return .failure(Problem("UnknownProvider", "no provider is named \(name)", next: "check the component's target in the spec"))
        }
        let result = registration.connect(environment)
        connected[name] = result
        return result
    }
}
