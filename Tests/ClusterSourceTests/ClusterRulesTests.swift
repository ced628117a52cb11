import Model
import Testing

@testable import ClusterSource

@Suite struct ClusterRulesTests {
    struct Place: Target {
        static let provider = "fake"
        var identity = "web"
        var clusterPlace: ClusterPlace?
        var file: String?

        init(_ place: ClusterPlace? = nil, file: String? = nil) {
            clusterPlace = place
            self.file = file
        }

        init(from decoder: any Decoder) throws { self.init() }
        func encode(to encoder: any Encoder) throws {}

        func resolvingPaths(_ resolve: (String) -> String) -> Place {
            var place = self
            place.file = file.map(resolve)
            return place
        }
    }

    static func system(_ target: Place = Place(), env: Configuration.Source? = nil) -> System {
        System(
            id: SystemID(namespace: "shop", name: "shop"),
            components: [
                Component(
                    name: "web", target: target, release: .name("v1"),
                    configuration: Configuration(sources: env.map { ["KEY": $0] } ?? [:]))
            ])
    }

    @Test(
        arguments: [
            (system(), [], nil, "nothing to refuse"),
            (system(Place(ClusterPlace(context: nil, namespace: "shop"))), [], nil, "the own namespace"),
            (
                system(Place(ClusterPlace(context: nil, namespace: "prod"))), [], "spec.components.web.fake.namespace: prod is not",
                "another one"
            ),
            (system(Place(ClusterPlace(context: nil, namespace: "prod"))), ["prod"], nil, "that the operator allows"),
            (system(Place(ClusterPlace(context: nil, namespace: "prod"))), ["*"], nil, "or all of them"),
            (
                system(Place(ClusterPlace(context: "east", namespace: "shop"))), ["*"], "spec.components.web.fake.context: another cluster",
                "not of another cluster"
            ),
            (system(Place(ClusterPlace(context: "east", namespace: "shop"))), ["east/shop"], nil, "unless it is named"),
            (system(Place(file: "x.env")), ["*"], "spec.components.web.fake: a System in a cluster cannot name files", "a file"),
            (system(env: .environment("HOME")), [], "spec.components.web.env.KEY.fromEnv: a System", "the operator's variables"),
            (system(env: .file("/etc/passwd")), [], "spec.components.web.env.KEY.fromFile: a System", "the operator's files"),
            (
                system(env: .kubernetesSecret(namespace: "prod", name: "s", key: "k")), ["*"],
                "spec.components.web.env.KEY.fromSecret.namespace: prod", "others' Secrets"
            ),
            (system(env: .literal("x")), [], nil, "a value"),
        ] as [(System, [String], String?, String)])
    func whatAnObjectMayName(system: System, allowed: [String], mistake: String?, why: String) {
        let (_, mistakes) = ClusterRules(allowed: Set(allowed)).applied(to: system)
        #expect(mistakes.count == (mistake == nil ? 0 : 1), "\(why): \(mistakes)")
        if let mistake { #expect(mistakes.first?.hasPrefix(mistake) == true, "\(why): \(mistakes)") }
    }

    @Test func aSecretIsOneOfTheObjectsNamespace() {
        let (system, mistakes) = ClusterRules(allowed: []).applied(
            to: Self.system(env: .kubernetesSecret(namespace: nil, name: "s", key: "k")))
        #expect(mistakes.isEmpty)
        #expect(system.components[0].configuration.sources["KEY"] == .kubernetesSecret(namespace: "shop", name: "s", key: "k"))
    }

    @Test func databasesStatesAndStoresThatNeedFilesAreRefused() {
        var system = Self.system()
        system.databases = [Database(name: "main", connection: .sqlite("main.db"), schema: "1", migrations: MigrationSettings(path: "db"))]
        system.statePlace = .directory("state")
        let (_, mistakes) = ClusterRules(allowed: []).applied(to: system)
        let paths = mistakes.compactMap { $0.split(separator: ":").first.map(String.init) }
        #expect(paths == ["spec.databases.main.sqlite", "spec.databases.main.migrations.path", "spec.state.directory"], "\(mistakes)")
    }

    private static let secret = Configuration.Source.kubernetesSecret(namespace: nil, name: "db", key: "url")

    private static func system(
        _ repository: MigrationRepository, url: Configuration.Source = secret, shared: Set<String> = []
    ) -> (System, [String]) {
        var system = Self.system()
        system.databases = [
            Database(
                name: "main", connection: .postgres(url: url, direct: nil), schema: "1",
                migrations: MigrationSettings(path: "", git: repository))
        ]
        return ClusterRules(allowed: [], sharedHosts: shared).applied(to: system)
    }

    @Test(
        arguments: [
            (MigrationRepository(url: "https://git.example/db"), secret, nil, "a repository on a host"),
            (
                MigrationRepository(url: "git@git.example:acme/db", sshKey: .kubernetesSecret(namespace: "shop", name: "k", key: "k")),
                secret,
                nil, "a key of the own namespace"
            ),
            (
                MigrationRepository(url: "/var/lib/db.git"), secret, "git.url: a System in a cluster cannot name files",
                "the operator's files"
            ),
            (MigrationRepository(url: "file:///db.git"), secret, "git.url: a System in a cluster cannot name files", "the same as a URL"),
            (
                MigrationRepository(url: "ext://sh"), secret, "git.url: a System in a cluster reaches a repository by https",
                "what runs programs"
            ),
            (
                MigrationRepository(url: "https://x/y", token: .environment("BELAY_GIT_TOKEN")), secret, "git.token.fromEnv: a System",
                "the operator's token"
            ),
            (
                MigrationRepository(url: "https://x/y", token: .kubernetesSecret(namespace: "prod", name: "s", key: "k")), secret,
                "git.token.fromSecret.namespace: prod", "others' Secrets"
            ),
            (
                MigrationRepository(url: "http://x/y", token: .kubernetesSecret(namespace: nil, name: "s", key: "k")), secret,
                "git.token: a token is not sent in clear; expected a url that begins with https://", "what everybody on the way reads"
            ),
            (MigrationRepository(url: "http://x/y"), secret, nil, "without a token"),
            (
                MigrationRepository(url: "https://x/y"), .literal("postgres://db/shop"), "postgres.url: a value comes from a Secret",
                "an address that the operator's own password would complete"
            ),
        ] as [(MigrationRepository, Configuration.Source, String?, String)])
    func whatARepositoryOfMigrationsMayBe(repository: MigrationRepository, url: Configuration.Source, mistake: String?, why: String) {
        let (system, mistakes) = Self.system(repository, url: url)
        #expect(mistakes.count == (mistake == nil ? 0 : 1), "\(why): \(mistakes)")
        if let mistake {
            #expect(
                mistakes.first?.hasPrefix("spec.databases.main.\(mistake.hasPrefix("git") ? "migrations." : "")\(mistake)") == true,
                "\(why): \(mistakes)")
        }
        let git = system.databases[0].migrations.git
        #expect(git?.tenant == "shop" && git?.mayUseOperatorAccess == false, "\(why)")
    }

    @Test func theOperatorSharesItsCredentialsWithHostsThatItNames() {
        func mayUse(_ url: String) -> Bool? {
            Self.system(MigrationRepository(url: url), shared: ["git.example", "git.example:2222"]).0.databases[0].migrations.git?
                .mayUseOperatorAccess
        }
        #expect(mayUse("https://Git.example/a") == true && mayUse("ssh://git@git.example:2222/a") == true)
        #expect(mayUse("git@git.example:a") == true)
        #expect(mayUse("http://git.example/a") == false && mayUse("git://git.example/a") == false, "in clear")
        #expect(mayUse("https://evil.example?@git.example/a") == false && mayUse("ssh://evil.example%2F@git.example/a") == false)
        #expect(mayUse("https://git.example:8443/a") == false && mayUse("https://evil.example/git.example") == false)
    }
}
