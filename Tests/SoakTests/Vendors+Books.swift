import JSONValues
import Simulators

extension Vendors {
    /// Every write over the API of a vendor that ever took effect, by the object, the first one first: all but those that may be made again
    /// without harm (switches of automation, leases).
    func effects(at vendor: String) async -> [String: [String]] {
        switch vendor {
        case "vercel":
            Self.effects(await vercel.world["projects"]) { write in
                guard let operation = write["operation"]?.string, operation != "autoAssign" else { return nil }
                return "\(operation) \(write["key"]?.string ?? write["deployment"]?.string ?? "")"
            }
        case "fly":
            Self.effects(await fly.world["apps"]) { write in
                "\(write["operation"]?.string ?? "") \(write["machine"]?.string ?? "") \(write["subject"]?.string ?? "")"
            }
        case "render":
            Self.effects(await render.world["services"]) { write in
                let fields = write["fields"]?.elements.compactMap(\.string) ?? []
                guard fields != ["autoDeploy"] else { return nil }
                let what = write["key"]?.string ?? write["to"]?.string ?? fields.joined(separator: ",")
                return "\(write["operation"]?.string ?? "") \(what)"
            }
        default:
            // A Deployment's generation counts the changes of its spec, whoever makes them.
            await deployments.mapValues { Array(repeating: "rollout", count: $0["metadata"]?["generation"]?.integer ?? 0) }
        }
    }

    private static func effects(_ objects: JSON?, _ words: (JSON) -> String?) -> [String: [String]] {
        var effects: [String: [String]] = [:]
        for object in objects?.elements ?? [] {
            effects[object["name"]?.string ?? ""] = (object["writes"]?.elements ?? []).filter { $0["by"]?.string == "api" }.compactMap(
                words)
        }
        return effects
    }

    /// By name.
    private var deployments: [String: JSON] {
        get async {
            let objects = await kubernetes.world["objects"]?.elements ?? []
            return Dictionary(
                objects.filter { $0["kind"]?.string == "Deployment" }.map { ($0["metadata"]?["name"]?.string ?? "", $0) }
            ) { first, _ in first }
        }
    }

    // MARK: - How everything is

    func facts() async -> Set<String> { Set(await vercelFacts() + kubernetesFacts() + flyFacts() + renderFacts()) }

    private func vercelFacts() async -> [String] {
        (await vercel.world["projects"]?.elements ?? []).flatMap { project in
            let name = project["name"]?.string ?? ""
            let domains = project["domains"]?.object?.members ?? []
            return domains.map { "vercel \(name): \($0.key) \($0.value.string ?? "")" } + [
                "vercel \(name): production \(project["production"]?.string ?? "")",
                "vercel \(name): auto-assignment \(project["autoAssign"]?.bool == true ? "on" : "off")",
            ]
        }
    }

    private func kubernetesFacts() async -> [String] {
        let objects = await kubernetes.world["objects"]?.elements ?? []
        var lines: [String] = []
        for (name, workload) in await deployments {
            let container = workload["spec"]?["template"]?["spec"]?["containers"]?.elements.first
            lines.append("kubernetes \(name): \(container?["image"]?.string ?? "")")
            for variable in container?["env"]?.elements ?? [] {
                let reference = variable["valueFrom"]?["configMapKeyRef"]
                let map = objects.first { $0["kind"]?.string == "ConfigMap" && $0["metadata"]?["name"] == reference?["name"] }
                let value = variable["value"]?.string ?? map?["data"]?[reference?["key"]?.string ?? ""]?.string ?? ""
                lines.append("kubernetes \(name): \(variable["name"]?.string ?? "")=\(value)")
            }
            let (status, replicas) = (workload["status"], workload["spec"]?["replicas"])
            let isSettled =
                status?["updatedReplicas"] == replicas && status?["availableReplicas"] == replicas && status?["replicas"] == replicas
            lines.append("kubernetes \(name): \(isSettled ? "settled" : "not settled")")
        }
        return lines
    }

    private func flyFacts() async -> [String] {
        (await fly.world["apps"]?.elements ?? []).flatMap { app in
            let name = app["name"]?.string ?? ""
            let images = app["images"]?.elements ?? []
            return (app["machines"]?.elements ?? []).flatMap { machine in
                let digest = machine["digest"]?.string
                let tag = images.first { $0["digest"]?.string == digest || $0["image"]?.string == digest }?["tag"]?.string
                let id = machine["id"]?.string ?? ""
                let settings = machine["env"]?.object?.members ?? []
                return settings.map { "fly \(name): \(id) has \($0.key)=\($0.value.string ?? "")" } + [
                    "fly \(name): \(id) runs \(tag ?? digest ?? ""), \(machine["state"]?.string ?? "")"
                ]
            }
        }
    }

    private func renderFacts() async -> [String] {
        (await render.world["services"]?.elements ?? []).flatMap { service in
            let name = service["name"]?.string ?? ""
            let live = service["live"]
            return [
                "render \(name): runs \(live?["commit"]?.string ?? live?["sha"]?.string ?? "")",
                "render \(name): deploys by itself \(service["autoDeploy"]?.string ?? "")",
            ]
        }
    }
}
