import JSONValues
import Model

/// Who else writes the pinned container's image.
struct FieldOwner: Sendable, Hashable {
    /// As `metadata.managedFields` names it.
    var manager: String
    /// The product, where it is one that would write the field again: `Argo CD`.
    var reconciler: String?
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
    var owners: [FieldOwner] {
        var seen: Set<String> = ["belay"]
        return (object["metadata"]?["managedFields"]?.elements ?? []).compactMap { entry in
            guard let manager = entry["manager"]?.string, Self.holdsImage(entry["fieldsV1"], container), seen.insert(manager).inserted
            else { return nil }
            return FieldOwner(manager: manager, reconciler: Self.reconciler(manager))
        }
    }

    private static func holdsImage(_ fields: JSON?, _ container: String) -> Bool {
        let containers = fields?["f:spec"]?["f:template"]?["f:spec"]?["f:containers"]?.object?.members ?? []
        return containers.contains { key, value in
            guard key.hasPrefix("k:"), value["f:image"] != nil else { return false }
            let name = try? JSON(parsing: String(key.dropFirst(2)))  // A key that is no JSON is nobody's container.
            return name?["name"]?.string == container
        }
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

    /// Why the image must not be written without `takeOwnership`: another reconciler owns it. Nil when it may.
    func foreignOwner(_ component: String) -> Problem? {
        let owner = owners.first { $0.reconciler != nil }
        guard let product = owner?.reconciler ?? mark?.product else { return nil }
        var evidence: [String] = []
        if let owner { evidence.append("field manager \(owner.manager)") }
        if let mark { evidence.append("\(mark.key): \(mark.value)") }
        return Problem(
            "OwnedByAnother",
            "kubernetes/\(component): the image of container \(container) of \(target.words) belongs to \(product) (\(evidence.joined(separator: ", ")))",
            next: "change the image where \(product) reads it, or make \(product) ignore it and set takeOwnership: true")
    }

    /// What a write takes away from whom, for the plan.
    var takeover: [String] {
        let owners = owners
        guard !owners.isEmpty else { return [] }
        return ["takes the image over from \(owners.map(\.manager).joined(separator: " and "))"]
    }
}
