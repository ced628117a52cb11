public import JSONValues
public import Model
import SpecFields
import YAMLReading

extension SpecLoader {
    /// The `spec` of each system that stands in a file, as a custom resource has it. Of documents that do not load, whatever they hold.
    public func resources(in file: SourceFile) -> [SystemID: JSON] {
        guard case .object(let document) = form.schema(), let spec = document.properties.first(where: { $0.name == "spec" })?.schema else {
            return [:]
        }
        var found: [SystemID: JSON] = [:]
        for node in YAMLStream(reading: file.bytes, limits: limits).documents {
            guard let name = node["metadata"]?["name"]?.string, let body = node["spec"] else { continue }
            found[SystemID(namespace: node["metadata"]?["namespace"]?.string ?? "default", name: name)] = spec.json(of: body)
        }
        return found
    }
}
