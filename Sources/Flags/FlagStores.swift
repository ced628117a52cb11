import KubernetesAPI
public import Model
public import ProviderKit
public import SQL
public import SpecFields

/// Opens a session with a database that the spec names. The session is the caller's alone, and the caller closes it.
public typealias FlagDatabaseConnector = @Sendable (_ database: String) async -> Result<any SQLConnection, Problem>

/// The flag stores of a process.
public struct FlagStores: Sendable {
    /// Environment variables whose values are secrets, for redaction.
    public static let secretVariables = ["VERCEL_TOKEN"]

    /// Every store of this version, in the order of the reference page.
    public static let kinds: [FlagTargetKind] = [
        FlagTargetKind(SQLFlagTarget.self, "A table in a database of the system, such as feature_flags."),
        FlagTargetKind(FlagdTarget.self, "A flag definition file of flagd (OpenFeature)."),
        FlagTargetKind(ConfigMapFlagTarget.self, "A flag definition of flagd in a key of a Kubernetes ConfigMap."),
        FlagTargetKind(EdgeConfigTarget.self, "An item of a Vercel Edge Config (Global Config) that holds all flags."),
    ]

    /// What the store in a ConfigMap needs in its namespace.
    public static let permissions = [
        ClusterPermission(
            .flags, [.configMaps], ["get", "patch"], "Reads and writes the flags of a spec whose flags.store is a ConfigMap.")
    ]

    private let environment: ProviderEnvironment
    private let flagd = FlagdStore()
    private let configMaps: ConfigMapFlagStore

    public init(_ environment: ProviderEnvironment) {
        self.environment = environment
        configMaps = ConfigMapFlagStore(environment)
    }

    /// The store that keeps the flags of a target, or why it cannot be used. Sends nothing; credentials are looked for each time, because
    /// they may be mounted later.
    ///
    /// - Parameter connect: for a store in one of the system's databases.
    public func store(for target: any FlagTarget, connect: @escaping FlagDatabaseConnector) -> Result<AnyFlagStore, Problem> {
        switch target {
        case is SQLFlagTarget: .success(AnyFlagStore(SQLFlagStore(connect: connect)))
        case is FlagdTarget: .success(AnyFlagStore(flagd))
        case is ConfigMapFlagTarget: .success(AnyFlagStore(configMaps))
        case is EdgeConfigTarget: EdgeConfigStore.connect(environment).map(AnyFlagStore.init)
        default:
            .failure(
                Problem("UnknownFlagStore", "no flag store is named \(target.store)", next: "check flags.store in the spec"))
        }
    }
}
