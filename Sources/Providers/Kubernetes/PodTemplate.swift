import JSONValues

/// A pod template as a workload or its history holds it.
struct PodTemplate: Sendable, Hashable {
    private static let hashLabel = "pod-template-hash"

    /// Without the label that the deployment controller adds to the ReplicaSet's copy.
    let json: JSON
    /// Equal for templates that make the same pods. Made once, because every observation compares with the whole history.
    private let canonical: [UInt8]

    init(_ json: JSON) {
        var json = json
        // Writing makes a copy, also of what is not there.
        if json["metadata"]?["labels"]?[Self.hashLabel] != nil { json["metadata"]?["labels"]?[Self.hashLabel] = nil }
        if json["$patch"] != nil { json["$patch"] = nil }
        self.json = json
        canonical = json.canonicalBytes
    }

    var containers: [JSON] { json["spec"]?["containers"]?.elements ?? [] }

    func image(of container: String) -> ImageReference? {
        containers.first { $0["name"]?.string == container }?["image"]?.string.map { ImageReference($0) }
    }

    /// True if both make the same pods, as kubectl compares them: nothing and null are one.
    func isSame(as other: PodTemplate) -> Bool { canonical == other.canonical }

    /// Differs whenever the template does, for any practical purpose. 16 hexadecimal digits.
    var fingerprint: String { StableHash.of(canonical) }

    /// What comes back with this template beside the container's image, in words: names only, never values.
    ///
    /// - Parameter named: variables that the spec names; they do not come back.
    func returning(instead current: PodTemplate, container: String, besides named: Set<String> = []) -> [String] {
        var parts: [String] = []
        let own = Self.variables(self, container)
        let live = Self.variables(current, container)
        let changed = Set(own.keys).union(live.keys).subtracting(named).filter { own[$0] != live[$0] }.sorted()
        if !changed.isEmpty { parts.append("environment \(changed.joined(separator: ", "))") }
        for other in containers {
            guard let name = other["name"]?.string, name != container else { continue }
            if current.image(of: name) != image(of: name) { parts.append("image of container \(name)") }
        }
        if parts.isEmpty, !without(container, named).isSame(as: current.without(container, named)) {
            parts.append("other fields of the pod template")
        }
        return parts
    }

    private static func variables(_ template: PodTemplate, _ container: String) -> [String: JSON] {
        let found = template.containers.first { $0["name"]?.string == container }
        return Dictionary(
            (found?["env"]?.elements ?? []).compactMap { item in item["name"]?.string.map { ($0, item) } }, uniquingKeysWith: { $1 })
    }

    private func without(_ container: String, _ variables: Set<String>) -> PodTemplate {
        with(image: "", in: container).with([:], removing: variables, in: container)
    }
}
