import Model
import SpecFields
import SpecLoading
import Testing

@Suite struct SystemTests {
    @Test func everyFieldOfASystemIsRead() throws {
        let result = load(wholeSystem, name: "specs/prod/shop.yaml")
        #expect(result.lines == [])
        let system = try #require(result.systems.first)
        #expect(system.id == SystemID(namespace: "prod", name: "shop"))
        #expect(system.statePlace == .directory("specs/prod/../state"))
        #expect(system.origin == "specs/prod/shop.yaml:1:1")
        #expect(system.verify == [Check(url: "https://shop.example.com/healthz")])
        #expect(system.components.map(\.name) == ["web", "api"])
        let (web, api) = (system.components[0], system.components[1])
        #expect(web.release == .name("1.10"))
        #expect(web.after == [.component("api")])
        #expect((web.target as? ShipTarget)?.identity == "acme/shop-web")
        #expect(!web.takeOwnership && !web.allowRebuild && web.timeout == .seconds(600))
        #expect(
            web.verify == [
                Check(
                    url: "https://shop.example.com/version", status: 204, body: "ready",
                    json: [
                        .init(path: "checks.0.ok", value: .bool(true)), .init(path: "version", value: .number(1.1)),
                        .init(path: "name", value: .string("on")), .init(path: "error", value: .null),
                    ],
                    within: .seconds(5400), consecutive: 3, every: .milliseconds(500))
            ])
        #expect(api.release == .commit("3f2c1abd"))
        #expect(api.takeOwnership && api.allowRebuild && api.timeout == .seconds(120))
        #expect((api.target as? BargeTarget)?.slot == 7)
    }

    @Test(arguments: [
        ("1.10", Pin.name("1.10"), "a float in YAML"), ("on", .name("on"), "a Boolean in YAML 1.1"),
        ("0x1F", .name("0x1F"), "an integer in YAML"),
        ("1e3", .name("1e3"), "a float in YAML"), ("0644", .name("0644"), "octal in YAML 1.1"), ("true", .name("true"), "a Boolean"),
        ("'~'", .name("~"), "quoted null"), ("2024-06-01", .name("2024-06-01"), "a date in YAML 1.1"),
        ("1:20", .name("1:20"), "base 60 in YAML 1.1"),
        ("{commit: 1234567}", .commit("1234567"), "digits only"), ("{image: 'repo@sha256:0f'}", .image("repo@sha256:0f"), "a digest"),
        ("{image: 1.20}", .image("1.20"), "a tag like a float"), ("{revision: 12}", .revision(12), "a number"),
        ("{deployment: dpl_7}", .deployment("dpl_7"), "an id"),
    ])
    func pinsStayWhatTheAuthorWrote(text: String, pin: Pin, why: String) {
        let result = load(system("web: {ship: {project: x}, release: \(text)}"))
        #expect(result.lines == [])
        #expect(result.systems.first?.components.first?.release == pin, "\(why)")
    }

    @Test(arguments: [
        ("/var/lib/belay", "a/s.yaml", "/var/lib/belay", "absolute"), ("state", "a/s.yaml", "a/state", "beside the file"),
        ("state", "s.yaml", "state", "the working directory"), ("state", "<stdin>", "state", "no file"),
    ])
    func pathsAreRelativeToTheSpecFile(written: String, file: String, expected: String, why: String) {
        let text = system("web: {ship: {project: x}, release: v1}").replacing("spec: {", with: "spec: {state: {directory: \(written)}, ")
        #expect(load(text, name: file).systems.first?.statePlace == .directory(expected), "\(why)")
    }

    @Test func severalDocumentsAndFilesKeepTheirOrder() {
        func document(_ name: String) -> String {
            system("web: {ship: {project: \(name)}, release: v1}").replacing("name: shop", with: "name: \(name)")
        }
        let result = loader.load([
            SourceFile(name: "b.yaml", bytes: Array("---\n\(document("z"))\n---\n\(document("y"))\n---\n".utf8)),
            SourceFile(name: "a.yaml", bytes: Array(document("x").utf8)),
        ])
        #expect(result.lines == [])
        #expect(result.systems.map(\.id.name) == ["z", "y", "x"])
        #expect(result.systems.map(\.origin) == ["b.yaml:2:1", "b.yaml:9:1", "a.yaml:1:1"])
    }

    @Test func aDirectoryTreeMayHoldOtherThings() {
        func file(_ name: String, _ text: String) -> SourceFile { SourceFile(name: name, bytes: Array(text.utf8), isExplicit: false) }
        let result = loader.load([
            file(
                "t/deploy.yaml",
                "apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: Service\n"),
            file("t/empty.yaml", ""), file("t/values.yaml", "replicas: 2\n"),
            file("t/templates/x.yaml", "{{- if .Values.x }}\na: {{ .b }}\n"),
            file("t/shop.yaml", wholeSystem),
        ])
        #expect(result.lines == [])
        #expect(result.systems.map(\.id.name) == ["shop"])
        #expect(
            result.notes == [
                "passed over 1 × document of kind Deployment, 2 × document of kind Service, 1 × document without a kind, 1 × file that is not YAML"
            ])
    }

    @Test func aDirectoryTreeWithoutSystemsIsAMistake() {
        let files = ["t/a/deploy.yaml", "t/b/deploy.yaml"].map {
            SourceFile(name: $0, bytes: Array("kind: Deployment\napiVersion: apps/v1".utf8), isExplicit: false)
        }
        #expect(
            loader.load(files).lines == [
                "t:1:1: there is no System here, only 2 × document of kind Deployment; a spec begins with apiVersion: belay.dev/v1alpha1 and kind: System"
            ])
        #expect(
            loader.load([]).lines == [".:1:1: there is no System here; a spec begins with apiVersion: belay.dev/v1alpha1 and kind: System"])
    }

    @Test func anAliasMayStandForAWholeValue() {
        let text = system(
            "web: {ship: {project: x}, release: v1, verify: &checks [{http: {url: 'http://x/'}}]}, api: {barge: {slot: 1}, release: v1, verify: *checks}"
        )
        let result = load(text)
        #expect(result.lines == [])
        #expect(result.systems.first?.components.map(\.verify.count) == [1, 1])
    }
}
