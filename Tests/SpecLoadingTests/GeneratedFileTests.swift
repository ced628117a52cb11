import JSONValues
import SpecFields
import SpecLoading
import Testing
import YAMLReading

@Suite struct GeneratedFileTests {
    private func text(_ path: String) throws -> String { try #require(loader.generatedFiles.first { $0.path == path }).text }

    private func crd() throws -> YAMLNode { try YAMLNode(reading: Array(try text("manifests/crd/systems.belay.dev.yaml").utf8)) }

    @Test func theSameDeclarationsGiveTheSameFiles() {
        #expect(loader.generatedFiles == SpecLoader(targets: targets).generatedFiles)
        #expect(
            loader.generatedFiles.map(\.path) == ["docs/reference.md", "docs/system.schema.json", "manifests/crd/systems.belay.dev.yaml"])
    }

    @Test func theDefinitionNamesTheKind() throws {
        let crd = try crd()
        #expect(crd["apiVersion"]?.string == "apiextensions.k8s.io/v1")
        #expect(crd["metadata"]?["name"]?.string == "systems.belay.dev")
        #expect(crd["spec"]?["scope"]?.string == "Namespaced")
        let version = try #require(crd["spec"]?["versions"]?[0])
        #expect(version["name"]?.string == "v1alpha1")
        #expect(version["schema"]?["openAPIV3Schema"]?["properties"]?["metadata"]?.value == .mapping([("type", .string("object"))]))
    }

    /// The rules of "Specifying a structural schema" in the Kubernetes documentation on custom resources.
    @Test func theDefinitionIsStructural() throws {
        let schema = try #require(try crd()["spec"]?["versions"]?[0]?["schema"]?["openAPIV3Schema"])
        var visited = 0
        func visit(_ node: YAMLNode, _ path: String) {
            visited += 1
            let known = [
                "additionalProperties", "allOf", "description", "enum", "format", "items", "maximum", "minItems", "minLength",
                "minProperties", "minimum", "nullable",
                "oneOf", "pattern", "properties", "required", "type", "x-kubernetes-list-map-keys", "x-kubernetes-list-type",
                "x-kubernetes-preserve-unknown-fields",
            ]
            for key in node.mapping?.keys ?? [] { #expect(known.contains(key), "\(path): \(key)") }
            let isOpen = node["x-kubernetes-preserve-unknown-fields"]?.bool == true
            #expect(isOpen || node["type"] != nil, "\(path) has a type")
            #expect(node["properties"] == nil || node["additionalProperties"] == nil, "\(path) is either an object or a map")
            for rule in (node["oneOf"]?.items ?? []) + (node["allOf"]?.items ?? []).flatMap({ $0["oneOf"]?.items ?? [] }) {
                #expect(rule.mapping?.keys == ["required"], "\(path): a rule only names fields")
                for name in rule["required"]?.items ?? [] { #expect(node["properties"]?[name.string ?? ""] != nil, "\(path)") }
            }
            for entry in node["properties"]?.entries ?? [] { visit(entry.value, "\(path).\(entry.key)") }
            if let element = node["additionalProperties"] { visit(element, "\(path).*") }
            if let element = node["items"] { visit(element, "\(path)[]") }
        }
        visit(schema, "")
        #expect(visited > 20)
    }

    @Test func theDefinitionKnowsTheProviders() throws {
        let schema = try #require(try crd()["spec"]?["versions"]?[0]?["schema"]?["openAPIV3Schema"])
        let component = try #require(schema["properties"]?["spec"]?["properties"]?["components"]?["additionalProperties"])
        #expect(component["oneOf"]?.value == .sequence(["ship", "barge"].map { .mapping([("required", .sequence([.string($0)]))]) }))
        #expect(component["required"]?.value == .sequence([.string("release")]))
        #expect(component["properties"]?["release"]?["x-kubernetes-preserve-unknown-fields"]?.bool == true)
        #expect(component["properties"]?["release"]?["type"] == nil)
        #expect(component["properties"]?["barge"]?["properties"]?["slot"]?["maximum"]?.int == 99)
        #expect(
            component["properties"]?["timeout"]?["description"]?.string
                == "How long the release may take until it is served and healthy. Default: 10m.")
    }

    @Test func theEditorsSchemaRefusesUnknownFields() throws {
        let schema = try JSON(parsing: try text("docs/system.schema.json"))
        #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["additionalProperties"]?.bool == false)
        #expect(schema["required"]?.elements == ["apiVersion", "kind", "metadata", "spec"])
        let component = try #require(schema["properties"]?["spec"]?["properties"]?["components"]?["additionalProperties"])
        #expect(component["additionalProperties"]?.bool == false)
        #expect(component["properties"]?["release"]?["anyOf"]?[1]?["oneOf"]?.elements.count == 4)
        #expect(component["properties"]?["takeOwnership"]?["default"]?.bool == false)
        #expect(component["properties"]?["timeout"]?["default"]?.string == "10m")
    }

    @Test func theReferenceHasASectionForEveryMapping() throws {
        let page = try text("docs/reference.md")
        for heading in [
            "`metadata`", "`spec`", "`spec.components.NAME`", "`spec.components.NAME.ship`", "`spec.components.NAME.release`",
            "`spec.components.NAME.verify[].http`", "`spec.state`",
        ] {
            #expect(page.contains("\n## \(heading)\n"), "\(heading)")
        }
        #expect(page.contains("| `project` | string | required | The project's name. |"))
        #expect(
            page.contains(
                "| `timeout` | duration: `500ms`, `30s`, `2m`, `1h30m` | `10m` | How long the release may take until it is served and healthy. |"
            ))
    }
}
