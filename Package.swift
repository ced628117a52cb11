// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, path: String? = nil, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func program(_ name: String, path: String? = nil, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

/// - Parameter files: a folder of files that the tests read where they stand, not as resources.
func tests(_ name: String, path: String? = nil, files: String? = nil, _ dependencies: Target.Dependency...) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, exclude: files.map { [$0] } ?? [], swiftSettings: settings)
}

/// Every provider is a module of its own, so that no provider can use another.
func provider(_ name: String, _ more: Target.Dependency...) -> Target {
    .target(
        name: "\(name)Provider", dependencies: ["HTTPCore", "JSONValues", "Model", "ProviderKit", "SpecFields"] + more,
        path: "Sources/Providers/\(name)", swiftSettings: settings)
}

/// Every provider, a line each; `reconcile` and the tests take them through `AllProviders`.
let providers: [Target] = [
    provider("EnvFile"),
    provider("Fly"),
    provider("Kubernetes", "KubernetesAPI"),
    provider("Render"),
    provider("Vercel"),
]

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "belay",
    products: [
        .executable(name: "reconcile", targets: ["reconcile"]),
        .executable(name: "belay-sandbox", targets: ["belay-sandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.81.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.25.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        // Without its Foundation trait: full Foundation would double the resident memory.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        // System libraries: exactly one importer each
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        // Debian's package has no pkg-config file.
        .systemLibrary(name: "CPgQuery", providers: [.apt(["libpg-query-dev"])]),

        // Values and pure functions
        library("Model"),
        library("JSONValues"),
        library("TextLayout"),
        library("Planning", "JSONValues", "Model", "TextLayout", crypto),

        // Reading specs
        library("YAMLReading", "CYAML"),
        library("SpecFields", "JSONValues", "Model", "YAMLReading"),
        library("SpecLoading", "JSONValues", "Model", "SpecFields", "YAMLReading"),
        library("SpecEditing", "Model", "YAMLReading"),
        library("Threads"),
        library("Sources", "Model", "SpecLoading", "Threads", crypto, subprocess, systemPackage),

        // Speaking HTTP
        library("HTTPCore"),
        library("CurlTransport", "CCurl", "HTTPCore", "Threads"),

        // Providers
        library("ProviderKit", "HTTPCore", "JSONValues", "Model", "SpecFields"),
        library("KubernetesAPI", "HTTPCore", "JSONValues", "Model", "YAMLReading", subprocess, systemPackage),
        .target(
            name: "AllProviders", dependencies: ["ProviderKit"] + providers.map { .byName(name: $0.name) }, path: "Sources/Providers/All",
            swiftSettings: settings),

        // Databases and flags
        library("SQL", "CPostgres", "CSQLite"),
        library("SQLParsing", "CPgQuery", "JSONValues", "SQL", crypto),
        library("MigrationFiles", "SQLParsing"),
        library(
            "Migrations", "JSONValues", "MigrationFiles", "Model", "ProviderKit", "SQL", "SQLParsing", crypto, subprocess, systemPackage),
        library(
            "Flags", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "ProviderKit", "SQL", "SpecFields", crypto),

        library("GitMigrations", "MigrationFiles", "Migrations", "Model", "SQLParsing", "Sources", "SpecLoading", crypto),

        // What may be remembered of configuration values, and where they are read
        library("ConfigurationValues", "Model", "ProviderKit", crypto),

        // One pass and the loop around it
        library("State", "JSONValues", "Model", crypto),
        library("DatabaseState", "Model", "SQL", "State"),
        library("Leases", "JSONValues", "KubernetesAPI", "Model", "State"),
        library("ClusterState", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "State"),
        library("Execution", "HTTPCore", "JSONValues", "Model", "ProviderKit", "State"),
        library("Reporting", "Execution", "JSONValues", "Model", "Planning", "TextLayout"),
        library(
            "ControlLoop", "ConfigurationValues", "Execution", "HTTPCore", "JSONValues", "Model", "Planning", "ProviderKit", "Reporting",
            "Sources", "SpecLoading", "State", "TextLayout"),
        library(
            "ClusterSource", "ControlLoop", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "SpecFields", "SpecLoading", "Sources"),
        library(
            "ClusterStatus", "ClusterSource", "ControlLoop", "Execution", "JSONValues", "KubernetesAPI", "Model", "Planning", "Reporting",
            "Sources"),
        // Files for running it in a cluster, made from declarations
        library("Manifests", "JSONValues", "Model", "SpecLoading"),
        // What the loop serves: numbers, health, webhooks
        library("Metering", "ControlLoop", "Execution", "HTTPCore", "Model", "Planning"),
        library(
            "Serving", "HTTPCore", "JSONValues", crypto, hummingbird, httpTypes, logging, nio, nioHTTPTypes, nioPosix, serviceLifecycle),
        program(
            "reconcile", "AllProviders", "CMalloc", "ClusterSource", "ClusterState", "ClusterStatus", "ConfigurationValues", "ControlLoop",
            "CurlTransport", "DatabaseState", "Execution", "Flags", "GitMigrations", "HTTPCore", "JSONValues", "KubernetesAPI",
            "KubernetesProvider", "Leases", "Manifests", "Metering", "MigrationFiles", "Migrations", "Model", "Planning", "ProviderKit",
            "Reporting", "SQLParsing", "Serving", "Sources", "SpecEditing", "SpecFields", "SpecLoading", "State", "TextLayout", "Threads",
            "YAMLReading", arguments),

        // The sandbox: never linked into the program
        library("Simulators", "HTTPCore", "JSONValues"),
        library(
            "SandboxServer", "HTTPCore", "JSONValues", "Simulators", "SpecFields", "YAMLReading", hummingbird, httpTypes, logging, nio,
            nioPosix, serviceLifecycle),
        program("belay-sandbox", "SandboxServer", arguments, subprocess, systemPackage, unixSignals),

        // What `make bench` measures in a process of its own
        program(
            "belay-bench", path: "Benchmarks/belay-bench", "CurlTransport", "HTTPCore", "KubernetesProvider", "Model", "Planning",
            "ProviderKit",
            "SpecFields", "SpecLoading", "VercelProvider"),

        // What tests share
        library("TestPrograms", path: "Tests/Support/TestPrograms", "CMalloc", subprocess, systemPackage),
        program(
            "crash-subject", path: "Tests/Support/CrashSubject", "AllProviders", "ConfigurationValues", "ControlLoop", "CurlTransport",
            "DatabaseState", "Execution", "HTTPCore", "Migrations", "Model", "Planning", "ProviderKit", "Sources", "SpecFields",
            "SpecLoading", "State"),
        library(
            "FakeCluster", path: "Tests/Support/FakeCluster", "HTTPCore", "JSONValues", "KubernetesAPI", "Model"),
        library("DatabaseServers", path: "Tests/Support/DatabaseServers", subprocess, systemPackage),
        library("ControlPlane", path: "Tests/Support/ControlPlane", subprocess, systemPackage),

        library("TestDoubles", path: "Tests/Support/TestDoubles", "HTTPCore", "Model", "ProviderKit", "State"),
        library("OpenAPIValidation", path: "Tests/Support/OpenAPI", "HTTPCore", "JSONValues", "Simulators", subprocess, systemPackage),

        // The example of docs/adding-a-provider.md: built and tested, never linked into a program
        library(
            "HarbourProvider", path: "docs/examples/harbour/Provider", "HTTPCore", "JSONValues", "Model", "ProviderKit", "SpecFields"),
        library("HarbourSimulator", path: "docs/examples/harbour/Simulator", "HTTPCore", "JSONValues", "Simulators"),
        tests(
            "HarbourTests", path: "docs/examples/harbour/Tests", "HarbourProvider", "HarbourSimulator", "HTTPCore", "JSONValues", "Model",
            "ProviderContract", "ProviderKit", "Simulators", "SpecFields", "SpecLoading"),

        // Tests: one folder a module
        tests(
            "ScenarioTests", files: "Scenarios", "HTTPCore", "JSONValues", "SandboxServer", "Simulators", "TestPrograms", "crash-subject",
            "reconcile"),
        tests(
            "DatabaseScenarioTests", "DatabaseServers", "HTTPCore", "JSONValues", "Migrations", "SandboxServer", "SQL", "Simulators",
            "TestPrograms", "crash-subject", "reconcile"),
        library("ProviderContract", path: "Tests/Support/ProviderContract", "HTTPCore", "Model", "ProviderKit", "Simulators"),
        tests("SimulatorsTests", "HTTPCore", "JSONValues", "OpenAPIValidation", "Simulators"),
        tests(
            "VercelProviderTests", "HTTPCore", "JSONValues", "Model", "OpenAPIValidation", "ProviderContract", "ProviderKit", "Simulators",
            "VercelProvider"),
        tests(
            "SandboxTests", "CurlTransport", "HTTPCore", "JSONValues", "SandboxServer", "Simulators", "belay-sandbox", subprocess,
            systemPackage),
        tests("KubernetesAPITests", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "Simulators", "YAMLReading"),
        tests(
            "KubernetesProviderTests", "ControlPlane", "CurlTransport", "HTTPCore", "JSONValues", "KubernetesAPI", "KubernetesProvider",
            "Model",
            "Planning", "ProviderContract", "ProviderKit", "Simulators", "SpecFields", "YAMLReading", subprocess, systemPackage),
        tests(
            "FlyProviderTests", "FlyProvider", "HTTPCore", "JSONValues", "Model", "OpenAPIValidation", "Planning", "ProviderContract",
            "ProviderKit", "Simulators", "SpecFields", "TestDoubles", "YAMLReading"),
        tests(
            "RenderProviderTests", "HTTPCore", "JSONValues", "Model", "OpenAPIValidation", "Planning", "ProviderContract", "ProviderKit",
            "RenderProvider", "Simulators", "SpecFields", "YAMLReading"),
        tests("EnvFileProviderTests", "EnvFileProvider", "Model", "ProviderKit", "SpecFields", "TestPrograms", "YAMLReading"),
        tests("ConfigurationValuesTests", "ConfigurationValues", "Model", "ProviderKit", "TestPrograms"),
        tests(
            "MatrixTests", "AllProviders", "ConfigurationValues", "ControlLoop", "Execution", "HTTPCore", "JSONValues", "Model", "Planning",
            "ProviderKit", "Simulators", "Sources", "SpecFields", "SpecLoading", "State", "TestDoubles"),
        tests(
            "SoakTests", "AllProviders", "ConfigurationValues", "ControlLoop", "Execution", "HTTPCore", "JSONValues", "Model", "Planning",
            "ProviderKit", "Simulators", "Sources", "SpecFields", "SpecLoading", "State", "TestDoubles", "TestPrograms", systemPackage),
        tests("SQLParsingTests", "SQLParsing"),
        tests(
            "MigrationsTests", "DatabaseServers", "JSONValues", "MigrationFiles", "Migrations", "Model", "Planning", "ProviderKit", "SQL",
            "SQLParsing", "TestPrograms", "migration-subject", crypto, subprocess, systemPackage),
        program(
            "migration-subject", path: "Tests/Support/MigrationSubject", "MigrationFiles", "Migrations", "Model", "ProviderKit", "SQL",
            "SQLParsing"),
        tests("SQLTests", "DatabaseServers", "SQL", "TestPrograms"),
        tests(
            "FlagsTests", "DatabaseServers", "Flags", "HTTPCore", "JSONValues", "Model", "OpenAPIValidation", "ProviderKit", "SQL",
            "Simulators",
            "SpecFields", "TestPrograms", "YAMLReading"),
        tests(
            "ShippingTests", "ControlPlane", "CurlTransport", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "TestPrograms",
            "YAMLReading", "reconcile"),
        tests("TextLayoutTests", "TextLayout"),
        tests("ModelTests", "Model"),
        tests("PlanningTests", "JSONValues", "Model", "Planning"),
        tests(
            "ReconcileTests", files: "Journals", "ControlPlane", "DatabaseServers", "JSONValues", "HTTPCore", "SandboxServer", "Simulators",
            "TestPrograms", "reconcile", systemPackage),
        tests(
            "ClusterSourceTests", "ClusterSource", "HTTPCore", "JSONValues", "KubernetesAPI", "Model", "Sources", "TestDoubles"),
        tests(
            "ClusterStatusTests", "ClusterSource", "ClusterStatus", "ControlLoop", "Execution", "HTTPCore", "JSONValues", "KubernetesAPI",
            "Model", "Sources"),
        tests("SourcesTests", "Model", "Sources", "SpecLoading", "TestPrograms"),
        tests("MigrationFilesTests", "MigrationFiles", "SQLParsing"),
        tests("StateTests", "Model", "State"),
        tests(
            "GitMigrationsTests", "GitMigrations", "MigrationFiles", "Migrations", "Model", "ProviderKit", "SQLParsing", "Sources",
            "SpecLoading", "TestPrograms"),
        library("StateContract", path: "Tests/Support/StateContract", "Model", "State"),
        tests("LeasesTests", "FakeCluster", "JSONValues", "KubernetesAPI", "Leases", "Model", "TestDoubles"),
        tests(
            "ClusterStateTests", "ClusterState", "ControlPlane", "CurlTransport", "FakeCluster", "HTTPCore", "JSONValues", "KubernetesAPI",
            "Model", "SandboxServer", "Simulators", "State", "StateContract", "TestDoubles", "TestPrograms", "reconcile"),
        tests(
            "DatabaseStateTests", "DatabaseServers", "DatabaseState", "Model", "SQL", "State", "StateContract", "TestPrograms",
            "crash-subject", "reconcile"),
        tests("ExecutionTests", "Execution", "HTTPCore", "Model", "Planning", "ProviderKit", "State", "TestDoubles"),
        tests(
            "ControlLoopTests", "ConfigurationValues", "ControlLoop", "Execution", "HTTPCore", "JSONValues", "Metering", "Model",
            "Planning",
            "ProviderKit", "Reporting", "Sources", "SpecFields", "SpecLoading", "State", "TestDoubles", "TextLayout"),
        tests("ReportingTests", "Execution", "JSONValues", "Model", "Planning", "Reporting", "TextLayout"),
        tests("ProviderKitTests", "HTTPCore", "ProviderKit", "TestDoubles"),
        tests("HTTPCoreTests", "HTTPCore"),
        tests("MeteringTests", "HTTPCore", "Metering"),
        tests("ServingTests", "CurlTransport", "HTTPCore", "JSONValues", "Serving", crypto),
        tests("JSONValuesTests", "JSONValues"),
        tests("CurlTransportTests", "CurlTransport", "HTTPCore"),
        tests("YAMLReadingTests", "YAMLReading"),
        tests("SpecEditingTests", "Model", "SpecEditing", "YAMLReading"),
        tests("SpecFieldsTests", "JSONValues", "SpecFields", "YAMLReading"),
        tests("SpecLoadingTests", "JSONValues", "Model", "SpecFields", "SpecLoading", "YAMLReading"),
    ] + providers
)
