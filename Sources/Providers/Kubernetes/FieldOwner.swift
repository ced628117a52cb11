import JSONValues
import Model

/// Who else writes a field of the pinned container.
struct FieldOwner: Sendable, Hashable {
    /// As `metadata.managedFields` names it.
    var manager: String
    /// The product, where it is one that would write the field again: `Argo CD`.
    var reconciler: String?
}

/// A reconciler that sets the image again by itself.
struct ForeignOwner: Sendable, Hashable {
    /// `Argo CD`.
    var product: String
    /// By what it is known.
    var evidence: String

    /// There is no switch: only the reconciler's own settings keep it away.
    var automation: Automation {
        Automation(
            name: "reconciler", summary: "\(product) sets what it owns again (\(evidence))", isOn: true, value: product, off: nil)
    }
}

extension WorkloadSnapshot {
    /// Field managers that write what they own again and again, by the beginning of their names.
    private static let reconcilers = [
        ("argocd", "Argo CD"), ("kustomize-controller", "Flux"), ("helm-controller", "Flux"), ("flux", "Flux"), ("fleet", "Fleet"),
        ("configsync", "Config Sync"), ("kapp-controller", "kapp-controller"), ("keel", "Keel"), ("crossplane", "Crossplane"),
        ("provider-kubernetes", "Crossplane"), ("pulumi-kubernetes-operator", "the Pulumi operator"),
    ]

    /// Labels and annotations by which reconcilers know what is theirs.
    private static let marks = [
        ("argocd.argoproj.io/instance", "Argo CD"), ("argocd.argoproj.io/tracking-id", "Argo CD"),
        ("kustomize.toolkit.fluxcd.io/name", "Flux"), ("helm.toolkit.fluxcd.io/name", "Flux"), ("objectset.rio.cattle.io/id", "Fleet"),
        ("configsync.gke.io/resource-id", "Config Sync"), ("configmanagement.gke.io/managed", "Config Sync"),
    ]

    /// Everybody but Belay who owns the image.
    var owners: [FieldOwner] { owners { $0["f:image"] != nil } }

    /// - Parameter holds: whether the fields of the pinned container that somebody owns are meant.
    private func owners(_ holds: (JSON) -> Bool) -> [FieldOwner] {
        var seen: Set<String> = ["belay"]
        return managedFields.compactMap { entry in
            guard let manager = entry["manager"]?.string, let fields = Self.fields(entry["fieldsV1"], container), holds(fields),
                seen.insert(manager).inserted
            else { return nil }
            return FieldOwner(manager: manager, reconciler: Self.reconciler(manager))
        }
    }

    private var managedFields: [JSON] { object["metadata"]?["managedFields"]?.elements ?? [] }

    /// What is owned of one container.
    private static func fields(_ fields: JSON?, _ container: String) -> JSON? {
        let containers = fields?["f:spec"]?["f:template"]?["f:spec"]?["f:containers"]?.object?.members ?? []
        return containers.first { name(ofKey: $0.key) == container }?.value
    }

    /// The `name` of a key such as `k:{"name":"api"}`; nil for a key that is none.
    private static func name(ofKey key: String) -> String? {
        guard key.hasPrefix("k:") else { return nil }
        return (try? JSON(parsing: String(key.dropFirst(2))))?["name"]?.string  // A key that is no JSON is nobody's.
    }

    /// Any controller or operator counts: what it owns it will set again.
    private static func reconciler(_ manager: String) -> String? {
        if let known = reconcilers.first(where: { manager.hasPrefix($0.0) }) { return known.1 }
        return manager.hasSuffix("-controller") || manager.hasSuffix("-operator") ? manager : nil
    }

    /// The reconciler by whose label or annotation the workload is known, and what that says.
    private var mark: (product: String, key: String, value: String)? {
        for (key, product) in Self.marks {
            for part in ["labels", "annotations"] {
                if let value = object["metadata"]?[part]?[key]?.string, value != "disabled" { return (product, key, value) }
            }
        }
        return nil
    }

    /// The reconciler that owns the image, or whose mark the workload bears; nil when there is none.
    var foreignOwner: ForeignOwner? {
        let owner = owners.first { $0.reconciler != nil }
        let mark = mark
        guard let product = owner?.reconciler ?? mark?.product else { return nil }
        return ForeignOwner(
            product: product,
            evidence: [owner.map { "field manager \($0.manager)" }, mark.map { "\($0.key): \($0.value)" }].compactMap(\.self)
                .joined(separator: ", "))
    }

    /// Why the image must not be written without `takeOwnership`: another reconciler owns it.
    func problem(_ component: String, _ owner: ForeignOwner) -> Problem {
        Problem(
            "OwnedByAnother",
            "kubernetes/\(component): the image of container \(container) of \(target.words) belongs to \(owner.product) (\(owner.evidence))",
            next: "change the image where \(owner.product) reads it, or make \(owner.product) ignore it and set takeOwnership: true")
    }

    /// Why variables must not be written without `takeOwnership`: another reconciler owns them. Nil when they may.
    func foreignOwner(ofVariables keys: [String], _ component: String) -> Problem? {
        for owner in variableOwners(keys) {
            guard let product = owner.owner.reconciler else { continue }
            return Problem(
                "OwnedByAnother",
                "kubernetes/\(component): \(owner.keys.joined(separator: ", ")) in the environment of container \(container) of "
                    + "\(target.words) \(owner.keys.count == 1 ? "belongs" : "belong") to \(product) (field manager \(owner.owner.manager))",
                next: "change it where \(product) reads it, or make \(product) ignore it and set takeOwnership: true")
        }
        return nil
    }

    /// Who but Belay owns which of these variables.
    private func variableOwners(_ keys: [String]) -> [(owner: FieldOwner, keys: [String])] {
        guard !keys.isEmpty else { return [] }
        var found: [(owner: FieldOwner, keys: [String])] = []
        for entry in managedFields {
            guard let manager = entry["manager"]?.string, manager != OwnObject.manager,
                let variables = Self.fields(entry["fieldsV1"], container)?["f:env"]?.object?.members
            else { continue }
            let names = Set(variables.compactMap { Self.name(ofKey: $0.key) })
            let own = keys.filter(names.contains)
            guard !own.isEmpty, !found.contains(where: { $0.owner.manager == manager }) else { continue }
            found.append((FieldOwner(manager: manager, reconciler: Self.reconciler(manager)), own))
        }
        return found
    }

    /// What a write of the image takes away from whom, for the plan.
    var takeover: [String] { Self.takeover("the image", owners) }

    /// What a write of variables takes away from whom, for the plan.
    func takeover(ofVariables keys: [String]) -> [String] {
        variableOwners(keys).flatMap { Self.takeover($0.keys.joined(separator: ", "), [$0.owner]) }
    }

    private static func takeover(_ what: String, _ owners: [FieldOwner]) -> [String] {
        owners.isEmpty ? [] : ["takes \(what) over from \(owners.map(\.manager).joined(separator: " and "))"]
    }

    // MARK: - Cause

    /// Who set the declared image, and when: `kubectl-edit at 2026-11-23T14:02:00Z: release v1.42.0`.
    ///
    /// The time is that of the manager's last write, which need not have been that of the image.
    var cause: String? {
        let entries = managedFields.filter { Self.fields($0["fieldsV1"], container)?["f:image"] != nil }
        let last = entries.max { time(of: $0) < time(of: $1) }
        guard let last, let manager = last["manager"]?.string else { return current?.note }
        let when = last["time"]?.string.map { " at \($0)" } ?? ""
        return manager + when + (current?.note.map { ": \($0)" } ?? "")
    }

    private func time(of entry: JSON) -> Int64 {
        entry["time"]?.string.flatMap { Timestamp($0) }?.millisecondsSinceEpoch ?? .min
    }
}
