import JSONValues

/// One entry of a container's `env`.
struct EnvironmentVariable: Sendable, Hashable {
    enum Source: Sendable, Hashable {
        case value(String)
        case reference(ConfigurationObject, key: String, isOptional: Bool)
        /// A field of the pod itself: part of the template's shape, not of its configuration.
        case field
    }

    var name: String
    var source: Source

    /// Nil for what is none.
    init?(_ json: JSON) {
        guard let name = json["name"]?.string else { return nil }
        self.name = name
        guard let from = json["valueFrom"] else {
            source = .value(json["value"]?.string ?? "")
            return
        }
        source = .field
        for kind in [ConfigurationObject.Kind.configMap, .secret] {
            guard let reference = from[kind.keyReference] else { continue }
            source = .reference(
                ConfigurationObject(kind, reference["name"]?.string ?? ""), key: reference["key"]?.string ?? "",
                isOptional: reference["optional"]?.bool == true)
        }
    }

    /// True for a text that the kubelet changes: `$(NAME)` and `$$`.
    static func isExpanded(_ value: String) -> Bool { value.contains("$(") || value.contains("$$") }
}

extension PodTemplate {
    private func json(of container: String) -> JSON? { containers.first { $0["name"]?.string == container } }

    /// As they stand in the template; of two with one name the last counts.
    func variables(of container: String) -> [EnvironmentVariable] {
        (json(of: container)?["env"]?.elements ?? []).compactMap { EnvironmentVariable($0) }
    }

    /// True if whole ConfigMaps or Secrets become variables of the container: which ones cannot be told from here.
    func hasWholeSources(_ container: String) -> Bool { !(json(of: container)?["envFrom"]?.elements ?? []).isEmpty }

    /// The same template with another image in one container.
    func with(image: String, in container: String) -> PodTemplate {
        changing(container) { $0["image"] = .string(image) }
    }

    /// The same template with other variables in one container: each of `entries` in the place of the one of its name, or at the end.
    func with(_ entries: [String: JSON], removing removed: Set<String>, in container: String) -> PodTemplate {
        changing(container) { item in
            var left = entries
            var variables: [JSON] = []
            for variable in item["env"]?.elements ?? [] {
                let name = variable["name"]?.string ?? ""
                if removed.contains(name) { continue }
                guard entries[name] != nil else {
                    variables.append(variable)
                    continue
                }
                if let entry = left.removeValue(forKey: name) { variables.append(entry) }
            }
            variables += left.sorted { $0.key < $1.key }.map(\.value)
            item["env"] = variables.isEmpty ? nil : .array(variables)
        }
    }

    private func changing(_ container: String, _ change: (inout JSON) -> Void) -> PodTemplate {
        var json = json
        json["spec"]?["containers"] = .array(
            containers.map { item in
                var item = item
                if item["name"]?.string == container { change(&item) }
                return item
            })
        return PodTemplate(json)
    }

    // MARK: - What pods cannot start without

    /// Something that a pod hangs without: an object, and a key in it where one is named.
    struct Need: Sendable, Hashable {
        var object: ConfigurationObject
        var key: String?
    }

    /// Every ConfigMap and Secret that a pod of this template needs; what is optional is left out.
    var needs: Set<Need> {
        var needs: Set<Need> = []
        for list in ["containers", "initContainers"] {
            for container in json["spec"]?[list]?.elements ?? [] {
                for variable in container["env"]?.elements ?? [] {
                    if case .reference(let object, let key, isOptional: false) = EnvironmentVariable(variable)?.source {
                        needs.insert(Need(object: object, key: key))
                    }
                }
                for source in container["envFrom"]?.elements ?? [] {
                    needs.formUnion(Self.needs(source, "configMapRef", "secretRef", "name"))
                }
            }
        }
        for volume in json["spec"]?["volumes"]?.elements ?? [] {
            needs.formUnion(Self.needs(volume, "configMap", "secret", "secretName"))
            for source in volume["projected"]?["sources"]?.elements ?? [] {
                needs.formUnion(Self.needs(source, "configMap", "secret", "name"))
            }
        }
        return needs
    }

    private static func needs(_ source: JSON, _ configMap: String, _ secret: String, _ secretName: String) -> [Need] {
        [(ConfigurationObject.Kind.configMap, source[configMap], "name"), (.secret, source[secret], secretName)].compactMap {
            kind, reference, member in
            guard let reference, reference["optional"]?.bool != true, let name = reference[member]?.string else { return nil }
            return Need(object: ConfigurationObject(kind, name), key: nil)
        }
    }
}
