import Model
import SpecFields
import SpecLoading
import Testing

/// A target that holds configuration only.
private struct ChestTarget: Target, SpecObject {
    static let provider = "chest"
    var path: String
    var identity: String { path }

    init(path: String) { self.path = path }
    init(_ fields: inout Fields) { self.init(path: fields.required("path", "A path.")) }

    func resolvingPaths(_ resolve: (String) -> String) -> ChestTarget { ChestTarget(path: resolve(path)) }
}

@Suite struct ConfigurationTests {
    private static let loader = SpecLoader(targets: targets + [TargetKind(ChestTarget.self, "A chest.", hasReleases: false)])

    private func load(_ components: String, name: String = "s.yaml") -> LoadResult {
        Self.loader.load([SourceFile(name: name, bytes: Array(system(components).utf8))])
    }

    private func env(_ entries: String, more: String = "") -> LoadResult {
        load("web: {ship: {project: x}, release: v1, env: {\(entries)}\(more)}")
    }

    @Test(
        arguments: [
            ("1.10", Configuration.Source.literal("1.10"), "a float in YAML"), ("on", .literal("on"), "a Boolean in YAML 1.1"),
            ("true", .literal("true"), "a Boolean"), ("0x1F", .literal("0x1F"), "an integer"), ("1e3", .literal("1e3"), "a float"),
            ("''", .literal(""), "quoted and empty"), ("'~'", .literal("~"), "quoted null"), ("' x '", .literal(" x "), "blanks in quotes"),
            ("\"a\\nb\"", .literal("a\nb"), "two lines"), ("{fromEnv: X_1}", .environment("X_1"), "a variable"),
            ("{fromFile: /run/token}", .file("/run/token"), "an absolute path"),
            ("{fromFile: run/token}", .file("specs/run/token"), "beside the spec"),
            ("{fromSecret: {name: shop, key: a.b_C-1}}", .kubernetesSecret(namespace: nil, name: "shop", key: "a.b_C-1"), "a Secret"),
            (
                "{fromSecret: {namespace: prod, name: shop, key: k}}", .kubernetesSecret(namespace: "prod", name: "shop", key: "k"),
                "of another namespace"
            ),
        ] as [(String, Configuration.Source, String)])
    func aValueIsWhatTheAuthorWrote(written: String, source: Configuration.Source, why: String) {
        let result = load("web: {ship: {project: x}, release: v1, env: {A: \(written)}}", name: "specs/s.yaml")
        #expect(result.lines == [], "\(why)")
        #expect(result.systems.first?.components.first?.configuration == Configuration(sources: ["A": source]), "\(why)")
    }

    @Test func policyRestoringAndFencesAreRead() {
        let web = env("A: b", more: ", envPolicy: exact, restoreEnv: true, fence: false").systems.first?.components.first
        #expect(web?.configuration == Configuration(sources: ["A": .literal("b")], policy: .exact, restores: true))
        #expect(web?.isFenced == false)
        let plain = load("web: {ship: {project: x}, release: v1}").systems.first?.components.first
        #expect(plain?.configuration.isEmpty == true && plain?.isFenced == true)
    }

    @Test func aTargetWithoutReleasesNeedsNone() {
        let result = load("local: {chest: {path: .env}, env: {A: b}}", name: "specs/s.yaml")
        #expect(result.lines == [])
        let local = result.systems.first?.components.first
        #expect(local?.release == .name("configuration"))
        #expect((local?.target as? ChestTarget)?.path == "specs/.env", "its path is relative to the spec")
    }

    @Test func aPathNamesDifferentFilesInDifferentPlaces() {
        func file(_ name: String, _ system: String, _ more: String = "") -> SourceFile {
            let text = SpecLoadingTests.system("local: {chest: {path: .env}\(more)}").replacing("shop", with: system)
            return SourceFile(name: name, bytes: Array(text.utf8))
        }
        #expect(Self.loader.load([file("a/s.yaml", "one"), file("b/s.yaml", "two")]).lines == [])
        #expect(
            Self.loader.load([file("a/s.yaml", "one"), file("a/t.yaml", "two"), file("b/s.yaml", "three", ", zzzz: 1")]).lines.filter {
                $0.contains("belongs")
            } == [
                "a/t.yaml:5:16: spec.components.local.chest: chest a/.env belongs to component local of default/one already, at a/s.yaml:5:16"
            ],
            "in a document with a mistake as well")
    }

    @Test(arguments: [
        (
            "web: {ship: {project: x}, release: v1, env: {A: {fromEnv: X, fromFile: x}}}",
            ["s.yaml:5:62: spec.components.web.env.A: names a place twice: fromEnv at line 5, and fromFile; keep one"], "two places"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: {}}}",
            ["s.yaml:5:49: spec.components.web.env.A: does not name a place; add one of fromEnv, fromFile, fromSecret"], "no place"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: {fromenv: X}}}",
            ["s.yaml:5:50: spec.components.web.env.A: unknown field \"fromenv\"; did you mean \"fromEnv\"?"], "a typo"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: {fromSecret: {name: shop}}}}",
            ["s.yaml:5:62: spec.components.web.env.A.fromSecret.key: is required"], "no key of the Secret"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: {fromSecret: {name: Shop, key: 'a b'}}}}",
            [
                "s.yaml:5:69: spec.components.web.env.A.fromSecret.name: expected lower-case letters, digits, '-' and '.', at most 253",
                "s.yaml:5:80: spec.components.web.env.A.fromSecret.key: expected a key of a Secret: letters, digits, '-', '_' and '.'",
            ], "names that Kubernetes does not take"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: {fromEnv: 1X}}}",
            [
                "s.yaml:5:59: spec.components.web.env.A.fromEnv: expected a variable's name: letters, digits and '_', not beginning with a digit"
            ], "no variable's name"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {1A: x, 'A B': y, A=B: z}}",
            [
                "s.yaml:5:46: spec.components.web.env.1A: expected a variable's name: letters, digits and '_', not beginning with a digit",
                "s.yaml:5:53: spec.components.web.env[\"A B\"]: expected a variable's name: letters, digits and '_', not beginning with a digit",
                "s.yaml:5:63: spec.components.web.env[\"A=B\"]: expected a variable's name: letters, digits and '_', not beginning with a digit",
            ], "keys that are no names"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: x, A: y}}",
            ["s.yaml:5:52: the key \"A\" stands here for the second time; the first is at line 5, column 46"], "a key twice"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: }}",
            ["s.yaml:5:49: spec.components.web.env.A: is empty; expected a string"], "no value"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: {A: [x]}}",
            ["s.yaml:5:49: spec.components.web.env.A: expected a string, found a list"], "a list"
        ),
        (
            "web: {ship: {project: x}, release: v1, env: [A=x]}",
            ["s.yaml:5:45: spec.components.web.env: expected a mapping, found a list"], "as Compose writes it"
        ),
        (
            "web: {ship: {project: x}, release: v1, envPolicy: strict, restoreEnv: on, fence: 'false'}",
            [
                "s.yaml:5:51: spec.components.web.envPolicy: expected one of named, exact",
                "s.yaml:5:71: spec.components.web.restoreEnv: expected true or false; in YAML 1.2 on is a string: write true",
                "s.yaml:5:82: spec.components.web.fence: expected true or false without quotes",
            ], "other words"
        ),
        (
            "local: {chest: {path: .env}, release: v1}",
            ["s.yaml:5:39: spec.components.local.release: has no place here: chest holds configuration only"], "a release of nothing"
        ),
        ("web: {ship: {project: x}}", ["s.yaml:5:6: spec.components.web.release: is required"], "no pin"),
        (
            "web: {ship: {project: x}, relaese: v1}",
            ["s.yaml:5:27: spec.components.web: unknown field \"relaese\"; did you mean \"release\"?"], "a misspelt pin, once"
        ),
        (
            "web: {ship: {project: x}, release: }", ["s.yaml:5:36: spec.components.web.release: is required, and empty"],
            "an empty pin"
        ),
        (
            "local: {chest: {path: .env}, release: }",
            ["s.yaml:5:39: spec.components.local.release: is empty; give it a value or leave it out"], "an empty release of nothing"
        ),
    ])
    func aMistakeInConfigurationSaysWhatAndWhere(components: String, expected: [String], why: String) {
        let result = load(components)
        #expect(result.lines == expected, "\(why)")
        #expect(result.systems.isEmpty)
    }

    /// Put together here, so that nobody's scanner takes them for real ones.
    @Test(arguments: [
        ("sk_" + "live_0123456789abcdef", "Stripe"), ("ghp" + "_0123456789abcdefghij", "GitHub"),
        ("github_" + "pat_0123456789ab", "GitHub"),
        ("xox" + "b-0123456789-abc", "Slack"), ("AKIA" + "0123456789ABCDEF", "AWS"),
        ("|\n            -----BEGIN RSA PRIVATE" + " KEY-----\n            x\n", "a private key"),
        ("eyJhbGciOiJub25lIn0." + "eyJzdWIiOiJhbm4ifQ.", "a JSON Web Token"), ("SG." + "0123456789abcdef", "a key of SendGrid"),
        ("postgres://user:hunter2" + "@db/shop", "a URL with a password"), ("redis://:hunter2" + "@cache", "without a user"),
    ])
    func whatLooksLikeACredentialIsRefusedAndNotRepeated(value: String, why: String) {
        let text = """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop}
            spec:
              components:
                web:
                  ship: {project: x}
                  release: v1
                  env:
                    A: \(value)
            """
        let result = Self.loader.load([SourceFile(name: "s.yaml", bytes: Array(text.utf8))])
        #expect(
            result.lines == [
                "s.yaml:10:12: spec.components.web.env.A: secrets never stand in a spec: use fromEnv, fromFile or fromSecret"
            ], "\(why)")
    }

    @Test(arguments: [
        "https://api.example.com", "https://user@host/", "http://host:8080/@scope/x", "postgres://db:5432/shop", "redis://cache:6379",
        "sk_live_", "AKIA", "sk_test_0123456789", "a:b@c", "-----BEGIN CERTIFICATE-----", "mailto:ann@example.com", "https://host/?u=a:b@c",
    ])
    func whatIsNoCredentialIsAccepted(value: String) {
        #expect(env("A: '\(value)'").lines == [])
    }
}
