import JSONValues

/// Who owns which field: `metadata.managedFields`, as leaves of a tree.
struct FieldOwnership: Sendable {
    /// The steps of a path as `fieldsV1` writes them: `f:spec`, `k:{"name":"api"}`.
    typealias Path = [String]

    struct Manager: Sendable {
        var name: String
        var operation: String
        var time: String
        var fields: Set<Path>
    }

    var managers: [Manager]

    init(_ managedFields: JSON?) {
        managers = (managedFields?.elements ?? []).map { entry in
            var fields: Set<Path> = []
            Self.collect(entry["fieldsV1"] ?? [:], [], into: &fields)
            return Manager(
                name: entry["manager"]?.string ?? "", operation: entry["operation"]?.string ?? "Update", time: entry["time"]?.string ?? "",
                fields: fields)
        }
    }

    private static func collect(_ tree: JSON, _ path: Path, into fields: inout Set<Path>) {
        let members = (tree.object?.members ?? []).filter { $0.key != "." }
        if members.isEmpty, !path.isEmpty { fields.insert(path) }
        for (key, value) in members { collect(value, path + [key], into: &fields) }
    }

    /// As `metadata.managedFields` holds it.
    func json(apiVersion: JSON) -> JSON {
        .array(
            managers.filter { !$0.fields.isEmpty }.map { manager in
                var tree: JSON = [:]
                for path in manager.fields.sorted(by: { $0.lexicographicallyPrecedes($1) }) { Self.insert(path[...], into: &tree) }
                return [
                    "manager": .string(manager.name), "operation": .string(manager.operation), "apiVersion": apiVersion,
                    "time": .string(manager.time), "fieldsType": "FieldsV1", "fieldsV1": tree,
                ]
            })
    }

    private static func insert(_ path: ArraySlice<String>, into tree: inout JSON) {
        guard let step = path.first else { return }
        var child = tree[step] ?? [:]
        insert(path.dropFirst(), into: &child)
        tree[step] = child
    }

    // MARK: - Leaves of an object

    /// The fields of an object that somebody can own, with their values.
    static func leaves(of object: JSON) -> [Path: JSON] {
        var leaves: [Path: JSON] = [:]
        for part in ["spec", "data", "binaryData", "immutable", "type"] {
            if let value = object[part] { collect(value, ["f:\(part)"], list: "", into: &leaves) }
        }
        for part in ["labels", "annotations"] {
            if let values = object["metadata"]?[part] { collect(values, ["f:metadata", "f:\(part)"], list: "", into: &leaves) }
        }
        return leaves
    }

    private static func collect(_ value: JSON, _ path: Path, list: String, into leaves: inout [Path: JSON]) {
        switch value {
        case .object(let object) where !object.isEmpty && !Patching.isAtomic(list):
            for (key, value) in object.members { collect(value, path + ["f:\(key)"], list: key, into: &leaves) }
        case .array(let elements):
            guard let keys = Patching.mergeKeys(of: list), !elements.isEmpty else {
                leaves[path] = value
                return
            }
            for element in elements {
                collect(element, path + ["k:\(Patching.key(of: element, keys))"], list: "", into: &leaves)
            }
        default: leaves[path] = value
        }
    }

    // MARK: - Changes

    /// After a create or an update: what changed belongs to whoever changed it, and to nobody else.
    mutating func update(from old: JSON, to new: JSON, by name: String, at time: String) {
        let before = Self.leaves(of: old)
        let after = Self.leaves(of: new)
        let changed = Set(after.filter { before[$0.key] != $0.value }.keys)
        let gone = Set(before.keys).subtracting(after.keys)
        for index in managers.indices { managers[index].fields.subtract(changed.union(gone)) }
        guard !changed.isEmpty else { return }
        add(changed, to: name, "Update", at: time)
    }

    /// Before a server-side apply: the fields that others own with another value.
    func conflicts(_ applied: JSON, with live: JSON, by name: String) -> [(manager: Manager, paths: [Path])] {
        let wanted = Self.leaves(of: applied)
        let values = Self.leaves(of: live)
        return managers.filter { $0.name != name || $0.operation != "Apply" }.compactMap { manager in
            let paths = wanted.filter { values[$0.key] != $0.value && manager.fields.contains($0.key) }.keys
            return paths.isEmpty ? nil : (manager, paths.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }

    /// After a server-side apply.
    mutating func apply(_ applied: JSON, over live: JSON, by name: String, at time: String) {
        let wanted = Self.leaves(of: applied)
        let values = Self.leaves(of: live)
        let changed = Set(wanted.filter { values[$0.key] != $0.value }.keys)
        for index in managers.indices { managers[index].fields.subtract(changed) }
        managers.removeAll { $0.name == name && $0.operation == "Apply" }
        add(Set(wanted.keys), to: name, "Apply", at: time)
    }

    private mutating func add(_ fields: Set<Path>, to name: String, _ operation: String, at time: String) {
        if let index = managers.firstIndex(where: { $0.name == name && $0.operation == operation }) {
            managers[index].fields.formUnion(fields)
            managers[index].time = time
        } else {
            managers.append(Manager(name: name, operation: operation, time: time, fields: fields))
        }
    }

    /// As a `Status` names a field: `.spec.template.spec.containers[name="api"].image`.
    static func text(_ path: Path) -> String {
        path.map { step in
            if step.hasPrefix("f:") { return ".\(step.dropFirst(2))" }
            let key = (try? JSON(parsing: String(step.dropFirst(2))))?.object?.members ?? []
            return "[\(key.map { "\($0.key)=\($0.value)" }.joined(separator: ","))]"
        }.joined()
    }
}
