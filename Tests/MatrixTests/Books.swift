import JSONValues
import Simulators

/// What the vendors hold, as lines to compare.
extension Stage {
    /// How everything is now.
    func facts() async -> [String] {
        await vercelFacts() + kubernetesFacts() + flyFacts() + renderFacts()
    }

    /// Every write over the APIs that took effect so far, in no order of the vendors.
    func effects() async -> [String] {
        await vercelEffects() + kubernetesEffects() + flyEffects() + renderEffects()
    }

    /// What stands in these lines for a value.
    static func mark(_ value: String) -> String { RenderSimulator.marker(of: value) }
}

// MARK: - Vercel

extension Stage {
    private func vercelFacts() async -> [String] {
        var lines: [String] = []
        for project in await vercel.world["projects"]?.elements ?? [] {
            lines.append("production \(Self.deployment(project["production"]?.string, project))")
            for (domain, deployment) in project["domains"]?.object?.members ?? [] {
                lines.append("\(domain) \(Self.deployment(deployment.string, project))")
            }
            lines.append("auto-assignment \(project["autoAssign"]?.bool == true ? "on" : "off")")
            let built = project["deployments"]?.elements.first { $0["id"]?.string == project["production"]?.string }
            for (key, value) in built?["env"]?.object?.members ?? [] { lines.append("built with \(key)=\(value.string ?? "")") }
        }
        return lines
    }

    private func vercelEffects() async -> [String] {
        var lines: [String] = []
        for project in await vercel.world["projects"]?.elements ?? [] {
            for write in project["writes"]?.elements ?? [] where write["by"]?.string == "api" {
                let what =
                    write["key"]?.string ?? write["deployment"]?.string.map { Self.deployment($0, project) }
                    ?? write["value"]?.bool.map { $0 ? "on" : "off" } ?? ""
                lines.append("\(write["operation"]?.string ?? "") \(what)")
            }
        }
        return lines
    }

    /// By its id; one that was made meanwhile by its commit.
    private static func deployment(_ id: String?, _ project: JSON) -> String {
        guard let id else { return "nothing" }
        guard id.utf8.count > 8, let found = project["deployments"]?.elements.first(where: { $0["id"]?.string == id }) else { return id }
        return "build of \(found["sha"]?.string?.prefix(7) ?? "nothing")"
    }
}

// MARK: - Kubernetes

extension Stage {
    private func kubernetesFacts() async -> [String] {
        var lines: [String] = []
        let objects = await kubernetes.world["objects"]?.elements ?? []
        func object(_ kind: String, _ name: String?) -> JSON? {
            objects.first { $0["kind"]?.string == kind && $0["metadata"]?["name"]?.string == name }
        }
        for workload in objects where workload["kind"]?.string == "Deployment" {
            let name = workload["metadata"]?["name"]?.string ?? ""
            for container in workload["spec"]?["template"]?["spec"]?["containers"]?.elements ?? [] {
                lines.append("\(name) runs \(container["image"]?.string ?? "")")
                for variable in container["env"]?.elements ?? [] {
                    var value = variable["value"]?.string.map(Self.mark)
                    for (member, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                        guard let reference = variable["valueFrom"]?[member] else { continue }
                        let stored = object(kind, reference["name"]?.string)?["data"]?[reference["key"]?.string ?? ""]?.string ?? "gone"
                        value = "\(kind) \(kind == "Secret" ? stored : Self.mark(stored))"
                    }
                    lines.append("\(name) has \(variable["name"]?.string ?? "")=\(value ?? "")")
                }
            }
            let status = workload["status"]
            let isSettled =
                status?["updatedReplicas"] == workload["spec"]?["replicas"] && status?["availableReplicas"] == workload["spec"]?["replicas"]
                && status?["replicas"] == workload["spec"]?["replicas"]
            lines.append("\(name) is \(isSettled ? "settled" : "not settled")")
        }
        return lines
    }

    private func kubernetesEffects() async -> [String] {
        let world = await kubernetes.world
        var lines: [String] = []
        for object in world["objects"]?.elements ?? [] {
            let kind = object["kind"]?.string ?? ""
            let name = object["metadata"]?["name"]?.string ?? ""
            if ["ConfigMap", "Secret"].contains(kind), object["metadata"]?["labels"]?["belay.dev/workload"] != nil {
                lines.append("make \(kind)")
            }
            // A Deployment's generation counts the changes of its spec.
            if kind == "Deployment" {
                let count = (object["metadata"]?["generation"]?.integer ?? 0) - (pastReleases[name] ?? 0)
                lines += Array(repeating: "roll out \(name)", count: max(0, count))
            }
        }
        let others = (world["changes"]?.integer ?? 0) - lines.count
        return lines + Array(repeating: "another change", count: max(0, others))
    }
}

// MARK: - Fly.io

extension Stage {
    private func flyFacts() async -> [String] {
        var lines: [String] = []
        for app in await fly.world["apps"]?.elements ?? [] {
            let images = app["images"]?.elements ?? []
            for machine in app["machines"]?.elements ?? [] {
                let name = machine["id"]?.string ?? ""
                let digest = machine["digest"]?.string
                let tag = images.first { $0["digest"]?.string == digest || $0["image"]?.string == digest }?["tag"]?.string
                lines.append("\(name) runs \(tag ?? digest ?? "nothing"), \(machine["state"]?.string ?? "")")
                if let owner = machine["lease"]?.string { lines.append("\(name) is leased to \(owner)") }
                for (key, value) in machine["env"]?.object?.members ?? [] { lines.append("\(name) has \(key)=\(value.string ?? "")") }
                for (key, _) in machine["secrets"]?.object?.members ?? [] { lines.append("\(name) has secret \(key)") }
            }
        }
        return lines
    }

    private func flyEffects() async -> [String] {
        var lines: [String] = []
        for app in await fly.world["apps"]?.elements ?? [] {
            for write in app["writes"]?.elements ?? [] where write["by"]?.string == "api" {
                let what = write["machine"]?.string ?? write["subject"]?.string ?? ""
                lines.append("\(write["operation"]?.string ?? "") \(what)")
            }
        }
        return lines
    }
}

// MARK: - Render

extension Stage {
    private func renderFacts() async -> [String] {
        var lines: [String] = []
        for service in await render.world["services"]?.elements ?? [] {
            let name = service["name"]?.string ?? ""
            let live = service["live"]
            lines.append("\(name) runs \(live?["commit"]?.string.map { String($0.prefix(7)) } ?? live?["sha"]?.string ?? "nothing")")
            lines.append("\(name) deploys by itself: \(service["autoDeploy"]?.string ?? "")")
            if let image = service["settings"]?["imagePath"]?.string { lines.append("\(name) pins \(image)") }
            for (key, value) in live?["env"]?.object?.members ?? [] { lines.append("\(name) runs with \(key)=\(value.string ?? "")") }
            for (key, value) in service["settings"]?["env"]?.object?.members ?? [] {
                lines.append("\(name) saves \(key)=\(value.string ?? "")")
            }
        }
        return lines
    }

    private func renderEffects() async -> [String] {
        var lines: [String] = []
        for service in await render.world["services"]?.elements ?? [] {
            for write in service["writes"]?.elements ?? [] where write["by"]?.string == "api" {
                let fields = write["fields"]?.elements.compactMap(\.string).joined(separator: ",")
                let what = write["key"]?.string ?? write["to"]?.string ?? fields ?? ""
                lines.append("\(write["operation"]?.string ?? "") \(what)".trimmed)
            }
        }
        return lines
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}
