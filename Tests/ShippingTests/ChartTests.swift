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
            ("targets.roles={admin}", "must be one of 'targets', 'configuration', 'flags', 'references'"),
        ])
    func aWrongValueIsRefused(_ value: String, _ words: String) async throws {
        let ended = try await Tool.helm.run(["template", "charts/belay", "--set", value])
        #expect(ended.status == 1)
        #expect(ended.errors.contains(words), "\(ended.errors)")
    }
}
