import FoundationEssentials
import TestPrograms
import Testing
import YAMLReading

@Suite struct ChartTests {
    /// `image.tag` and the like, a name for each value that is no group; every group of the chart has a value of its own.
    private func values(_ node: YAMLNode, _ prefix: String = "") -> [String] {
        node.entries.flatMap { entry -> [String] in
            let path = prefix + entry.key
            // What goes into the manifest as it is has no values of the chart in it.
            if ["resources", "nodeSelector"].contains(path) { return [path] }
            return !entry.value.entries.isEmpty ? values(entry.value, path + ".") : [path]
        }
    }

    @Test func everyValueIsUsedAndEveryUsedOneIsThere() throws {
        let templates = try Project.names(in: "charts/belay/templates").map { try Project.text("charts/belay/templates/\($0)") }.joined()
        let declared = Set(values(try Project.yaml("charts/belay/values.yaml")))
        #expect(declared.count > 40)
        var used: Set<String> = []
        for part in templates.split(separator: ".Values.").dropFirst() {
            used.insert(String(part.prefix { $0.isLetter || $0 == "." }))
        }
        #expect(used == declared)
    }

    @Test func everyValueIsExplained() throws {
        let lines = try Project.text("charts/belay/values.yaml").split(separator: "\n", omittingEmptySubsequences: false)
        for path in values(try Project.yaml("charts/belay/values.yaml")) {
            let name = path.split(separator: ".").last ?? ""
            let places = lines.indices.filter { lines[$0].drop { $0 == " " }.hasPrefix("\(name):") }
            #expect(places.contains { $0 > 0 && lines[$0 - 1].drop { $0 == " " }.hasPrefix("# ") }, "\(path)")
        }
    }

    @Test func itsVersionIsTheProgramsOwn() throws {
        let chart = try Project.yaml("charts/belay/Chart.yaml")
        let source = try Project.text("Sources/reconcile/Reconcile.swift")
        let program = try Project.part(of: source, after: "static let current = \"", before: "\"")
        #expect(chart["appVersion"]?.string == String(program))
        #expect(try Project.text("Dockerfile").contains("ARG VERSION=\(program)\n"))
        #expect(try Project.yaml("manifests/kustomization.yaml")["images"]?[0]?["newTag"]?.string == String(program))
    }

    @Test(.enabled(if: Tool.helm.isThere, Tool.helm.need)) func helmFindsNothing() async throws {
        let ended = try await Tool.helm.run(["lint", "--strict", "charts/belay"])
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(!ended.output.contains("[WARNING]") && !ended.output.contains("[ERROR]"), "\(ended.output)")
    }

    @Test(
        .enabled(if: Tool.helm.isThere, Tool.helm.need),
        arguments: [
            ("replica=3", "additional properties 'replica' not allowed"),
            ("replicas=many", "got string, want integer"),
            ("resync=often", "does not match pattern"),
            ("coordination=none", "coordination: none is for one pod"),
            ("coordination=both", "must be one of 'leader', 'shard', 'none'"),
            ("resync=500ms", "does not match pattern"),
            ("providerConcurrency=0", "minimum: got 0, want 1"),
            ("grace=2m", "terminationGracePeriodSeconds must be 5 s longer than grace"),
            ("git.repositories={a},git.ref=main", "git.repositories names all repositories"),
            ("git.url=a,git.verifySignatures.configMap=a,git.verifySignatures.secret=b", "a ConfigMap or a Secret, not both"),
            ("git.verifySignatures.secret=b", "git.verifySignatures belongs to a repository"),
            ("git.url=a,git.verifySignatures.secret=b,git.verifySignatures.files=null", "name one key at least"),
            ("targets.roles={admin}", "must be one of 'targets', 'configuration', 'flags', 'references'"),
        ])
    func aWrongValueIsRefused(_ value: String, _ words: String) async throws {
        let ended = try await Tool.helm.run(["template", "charts/belay", "--set", value])
        #expect(ended.status == 1)
        #expect(ended.errors.contains(words), "\(ended.errors)")
    }

    @Test(
        .enabled(if: Tool.helm.isThere, Tool.helm.need),
        arguments: [
            ("grace=1m30s,terminationGracePeriodSeconds=95", ["--grace=1m30s"], [], "steps that take longer"),
            ("providerConcurrency=8", ["--provider-concurrency=8"], [], "a provider that wants fewer requests"),
            ("git.url=https://g.example/a,git.ref=main", ["--git=https://g.example/a", "--ref=main", "--poll=30s"], [], "one repository"),
            (
                "git.repositories={https://g.example/a#main:prod,git@g.example:b}",
                ["--git=https://g.example/a#main:prod", "--git=git@g.example:b", "--poll=30s"], [], "several"
            ),
            (
                "git.url=a,git.verifySignatures.configMap=keys",
                ["--git=a", "--poll=30s", "--verify-signatures=/etc/belay/signers/allowed_signers"], ["configMap keys"], "signed commits"
            ),
            (
                "git.url=a,git.verifySignatures.secret=keys,git.verifySignatures.files={ann,bob}",
                ["--git=a", "--poll=30s", "--verify-signatures=/etc/belay/signers/ann", "--verify-signatures=/etc/belay/signers/bob"],
                ["secret keys"], "signers in a Secret"
            ),
        ] as [(String, [String], [String], String)])
    func valuesBecomeArgumentsAndMounts(_ values: String, _ arguments: [String], _ volumes: [String], _ why: String) async throws {
        let text = try await Tool.helm.output([
            "template", "belay", "charts/belay", "--show-only", "templates/deployment.yaml", "--set", values,
        ])
        let object = try YAMLNode(reading: Array(text.utf8))
        let pod = try #require(object["spec"]?["template"]?["spec"])
        let container = try #require(pod["containers"]?[0])
        let usual: Set = ["--cluster", "--leader-elect", "--listen=:8080", "--mirror=default-belay"]
        #expect((container["args"]?.items.compactMap(\.string) ?? []).filter { !usual.contains($0) } == arguments, "\(why)")
        let signers = (pod["volumes"]?.items ?? []).filter { $0["name"]?.string == "signers" }.map { volume in
            volume["configMap"]?["name"]?.string.map { "configMap \($0)" } ?? "secret \(volume["secret"]?["secretName"]?.string ?? "")"
        }
        #expect(signers == volumes, "\(why)")
        let mounts = (container["volumeMounts"]?.items ?? []).filter { $0["name"]?.string == "signers" }
        #expect(mounts.compactMap { $0["mountPath"]?.string } == volumes.map { _ in "/etc/belay/signers" }, "\(why)")
    }
}
