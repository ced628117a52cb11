import JSONValues

/// What a server-side apply takes away: the fields that the manager's last apply had and this one has not, where nobody else has them.
extension FieldOwnership {
    /// The merged object without what the manager has let go of. To be asked before ``apply(_:over:by:at:)`` forgets the last set.
    func withoutAbandoned(_ merged: JSON, applied: JSON, by name: String) -> JSON {
        func isOwn(_ manager: Manager) -> Bool { manager.name == name && manager.operation == "Apply" }
        guard let last = managers.first(where: isOwn) else { return merged }
        var kept = Set(Self.leaves(of: applied).keys)
        for manager in managers where !isOwn(manager) { kept.formUnion(manager.fields) }
        let abandoned = last.fields.subtracting(kept)
        guard !abandoned.isEmpty else { return merged }
        return Removal(abandoned: abandoned, kept: kept).pruned(merged, [], list: "") ?? merged
    }

    /// Equal but for the times.
    func hasSameOwners(as other: FieldOwnership) -> Bool {
        func owners(_ ownership: FieldOwnership) -> [String: Set<Path>] {
            var owners: [String: Set<Path>] = [:]
            for manager in ownership.managers where !manager.fields.isEmpty {
                owners["\(manager.operation) \(manager.name)", default: []].formUnion(manager.fields)
            }
            return owners
        }
        return owners(self) == owners(other)
    }
}

private struct Removal {
    var abandoned: Set<FieldOwnership.Path>
    var kept: Set<FieldOwnership.Path>

    private func isAbove(_ fields: Set<FieldOwnership.Path>, _ path: FieldOwnership.Path) -> Bool {
        fields.contains { $0.starts(with: path) }
    }

    /// Nil when nothing of the value is left.
    func pruned(_ value: JSON, _ path: FieldOwnership.Path, list: String) -> JSON? {
        if abandoned.contains(path) { return nil }
        guard isAbove(abandoned, path) else { return value }
        switch value {
        case .object(let object):
            var left = JSONObject()
            for (key, child) in object.members {
                if let child = pruned(child, path + ["f:\(key)"], list: key) { left[key] = child }
            }
            return left.isEmpty ? Optional.none : .some(.object(left))
        case .array(let elements):
            guard let keys = Patching.mergeKeys(of: list) else { return value }
            let left = elements.compactMap { element -> JSON? in
                let key = Patching.key(of: element, keys)
                let place = path + ["k:\(key)"]
                guard isAbove(abandoned, place) else { return element }
                // An element goes as a whole, with the defaults that nobody owns, when nobody has anything of it any more.
                guard isAbove(kept, place), var left = pruned(element, place, list: "") else { return Optional.none }
                for name in keys where left[name] == nil { left[name] = element[name] }
                return left
            }
            return left.isEmpty ? Optional.none : .some(.array(left))
        default: return value
        }
    }
}
