import JSONValues
import Model
import ProviderKit

/// What the environment of the pinned container must be: literals come from a ConfigMap of Belay's, references from a Secret of Belay's.
struct ManagedEnvironment: Sendable {
    let desired: DesiredConfiguration
    let owner: OwnObject.Owner
    /// None, one or both.
    let objects: [OwnObject]

    init(_ desired: DesiredConfiguration, _ owner: OwnObject.Owner) {
        self.desired = desired
        self.owner = owner
        objects = [(ConfigurationObject.Kind.configMap, false), (.secret, true)].compactMap { kind, isReference in
            let values = desired.values.filter { $0.value.isReference == isReference }
            return values.isEmpty ? nil : OwnObject(kind, values, owner: owner)
        }
    }

    /// What a way to it is recognised by: which objects a template refers to when it has been written, and whether nothing else stays.
    var marks: [String] { objects.map(\.object.text) + (desired.isExact ? ["exact"] : []) }

    /// True if the variable has the desired value for certain, without anything being read.
    private func isRight(_ variable: EnvironmentVariable) -> Bool {
        guard let value = desired.values[variable.name] else { return true }
        switch variable.source {
        case .value(let text): return value.secret == Secret(text) && !EnvironmentVariable.isExpanded(text)
        case .reference(let object, let key, let isOptional):
            return !isOptional && key == variable.name
                && objects.contains { $0.object == object && ($0.object.kind == .secret) == value.isReference }
        case .field: return false
        }
    }

    /// Names of variables that must not be there. A field of the pod stays: no spec could name it.
    private func extras(of template: PodTemplate) -> Set<String> {
        guard desired.isExact else { return [] }
        return Set(
            template.variables(of: owner.container).filter { desired.values[$0.name] == nil && $0.source != .field }.map(\.name))
    }

    /// Keys that a template does not have as they must be, sorted.
    func changes(of template: PodTemplate) -> (set: [String], removed: [String]) {
        let now = Dictionary(template.variables(of: owner.container).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let set = desired.values.keys.filter { key in now[key].map { !isRight($0) } ?? true }.sorted()
        return (set, extras(of: template).sorted())
    }

    /// The template with the desired environment on top; itself where it has that already.
    func applied(to template: PodTemplate) -> PodTemplate {
        let changes = changes(of: template)
        guard !changes.set.isEmpty || !changes.removed.isEmpty else { return template }
        // All of them together: then two objects hold everything, instead of two for each change.
        let entries =
            changes.set.isEmpty ? [:] : Dictionary(desired.values.map { ($0.key, entry($0.key, $0.value)) }, uniquingKeysWith: { $1 })
        return template.with(entries, removing: Set(changes.removed), in: owner.container)
    }

    private func entry(_ key: String, _ value: DesiredConfiguration.Value) -> JSON {
        let kind: ConfigurationObject.Kind = value.isReference ? .secret : .configMap
        let name = objects.first { $0.object.kind == kind }?.object.name ?? ""
        return ["name": .string(key), "valueFrom": [kind.keyReference: ["name": .string(name), "key": .string(key)]]]
    }

    /// The objects that a template with the desired environment needs of Belay's.
    func objects(neededBy template: PodTemplate) -> [OwnObject] {
        let needed = Set(template.needs.map(\.object))
        return objects.filter { needed.contains($0.object) }
    }
}

extension PodTemplate {
    /// True if a variable comes from one of Belay's objects.
    func hasVariables(of owner: OwnObject.Owner) -> Bool {
        variables(of: owner.container).contains { variable in
            guard case .reference(let object, _, _) = variable.source else { return false }
            return object.name.hasPrefix(owner.prefix)
        }
    }

    /// The template without what Belay decides of its environment: two that are the same then are one release.
    func withoutManaged(_ owner: OwnObject.Owner, _ environment: ManagedEnvironment?) -> PodTemplate {
        let managed = variables(of: owner.container).filter { variable in
            switch variable.source {
            case .reference(let object, _, _) where object.name.hasPrefix(owner.prefix): true
            case .field: environment?.desired.values[variable.name] != nil
            default: environment.map { $0.desired.isExact || $0.desired.values[variable.name] != nil } ?? false
            }
        }
        guard !managed.isEmpty else { return self }
        return with([:], removing: Set(managed.map(\.name)), in: owner.container)
    }
}
