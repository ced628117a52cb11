public import JSONValues
import SpecFields

/// A file that is made from the declarations and compared with the committed one by a test.
public struct GeneratedFile: Sendable, Hashable {
    /// Relative to the root of the project.
    public var path: String
    public var text: String

    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    /// The definition of another kind for a cluster.
    public init(definition: JSON, path: String) {
        self.init(path: path, text: CustomResourceDefinition.text(definition))
    }
}

extension SpecLoader {
    /// CRD, editors' schema and reference page of the spec, the same for the same providers.
    public var generatedFiles: [GeneratedFile] {
        guard case .object(let document) = form.schema() else { return [] }
        return [
            GeneratedFile(path: "docs/reference.md", text: ReferencePage.text(of: document)),
            GeneratedFile(path: "docs/system.schema.json", text: Self.editorSchema(of: document)),
            GeneratedFile(path: "manifests/crd/systems.belay.dev.yaml", text: CustomResourceDefinition.text(of: document)),
        ]
    }
}
