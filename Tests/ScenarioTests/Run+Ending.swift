import JSONValues

/// What counts of the world in the end, every effect of a write included; the same for every run of a scenario that ends well.
extension Run {
    func ending() async throws -> String {
        try await vercelEnding() + kubernetesEnding() + flyEnding() + renderEnding()
    }

    private func vercelEnding() async throws -> String {
        var text = ""
        for project in try await world("vercel")["projects"]?.elements ?? [] {
            text += "\(project["name"]?.string ?? ""): production \(release(project["production"]?.string, of: project))\n"
            for (domain, deployment) in project["domains"]?.object?.members ?? [] {
                text += "  \(domain): \(release(deployment.string, of: project))\n"
            }
            text += "  assigns domains by itself: \(project["autoAssign"]?.bool == true)\n"
            let live = project["deployments"]?.elements.first { $0["id"]?.string == project["production"]?.string }
            text += "  built with \(live?["env"]?.description ?? "nothing")\n"
            for write in project["writes"]?.elements ?? [] {
                text +=
                    "  \(write["operation"]?.string ?? "") \(write["key"]?.string ?? release(write["deployment"]?.string, of: project))\n"
            }
        }
        return text
    }

    /// Deployments by their commit: a rebuild has another id in every run.
    private func release(_ id: String?, of project: JSON) -> String {
        guard let id, let deployment = project["deployments"]?.elements.first(where: { $0["id"]?.string == id }) else {
            return id ?? "nothing"
        }
        return String(deployment["sha"]?.string?.prefix(7) ?? "")
    }

    private func kubernetesEnding() async throws -> String {
        var text = ""
        let world = try await world("kubernetes")
        for object in world["objects"]?.elements ?? [] {
            let name = object["metadata"]?["name"]?.string ?? ""
            switch object["kind"]?.string {
            case "Deployment":
                let containers = object["spec"]?["template"]?["spec"]?["containers"]?.elements ?? []
                let revision = object["metadata"]?["annotations"]?["deployment.kubernetes.io/revision"]?.string ?? ""
                text += "\(name): \(containers.compactMap { $0["image"]?.string }.joined(separator: " ")), revision \(revision), "
                text += "generation \(object["metadata"]?["generation"]?.integer ?? 0)\n"
                for variable in containers.flatMap({ $0["env"]?.elements ?? [] }) {
                    // What it refers to is named after a key of the state directory, another one in every run.
                    let place = variable["valueFrom"]?.object?.keys.first ?? variable["value"]?.string ?? ""
                    text += "  \(variable["name"]?.string ?? ""): \(place)\n"
                }
            case "ConfigMap", "Secret": text += "\(object["kind"]?.string ?? ""): \(object["data"]?.description ?? "")\n"
            default: break
            }
        }
        return text + (text.isEmpty ? "" : "changes \(world["changes"]?.integer ?? 0)\n")
    }

    private func flyEnding() async throws -> String {
        var text = ""
        for app in try await world("fly")["apps"]?.elements ?? [] {
            text += "\(app["name"]?.string ?? "")\n"
            for machine in app["machines"]?.elements ?? [] {
                text += "  \(machine["id"]?.string ?? ""): \(machine["digest"]?.string ?? ""), \(machine["state"]?.string ?? ""), "
                text += "env \(machine["env"]?.description ?? ""), secrets \(machine["secrets"]?.description ?? ""), "
                text += "lease \(machine["lease"]?.string ?? "none")\n"
            }
            for write in app["writes"]?.elements ?? [] {
                text += "  \(write["operation"]?.string ?? "") \(write["machine"]?.string ?? write["subject"]?.string ?? "")\n"
            }
        }
        return text
    }

    private func renderEnding() async throws -> String {
        var text = ""
        for service in try await world("render")["services"]?.elements ?? [] {
            let live = service["live"]
            text += "\(service["name"]?.string ?? ""): \(live?["commit"]?.string ?? live?["sha"]?.string ?? "nothing")\n"
            text += "  deploys by itself: \(service["autoDeploy"]?.string ?? "")\n"
            text += "  runs with \(live?["env"]?.description ?? ""), saves \(service["settings"]?["env"]?.description ?? ""), "
            text += "image \(service["settings"]?["imagePath"]?.string ?? "none")\n"
            for write in service["writes"]?.elements ?? [] {
                let what = write["key"]?.string ?? write["fields"]?.description ?? write["to"]?.string ?? ""
                text += "  \(write["operation"]?.string ?? "") \(what)\n"
            }
        }
        return text
    }
}
