import JSONValues

/// What the last write of a route is; also a route's token.
enum RenderWay: Sendable, Hashable {
    /// Deploys a kept build again. If Render keeps it no longer, `build` is the commit that may be built instead.
    case rollback(service: String, deploy: String, build: String?)
    /// Builds a commit and deploys it.
    case build(service: String, commit: String)
    /// Sets the service's image by its digest and deploys it.
    case image(service: String, owner: String, image: String)
    /// Deploys the last successful build with the settings of now.
    case deployOnly(service: String)
    /// Sets keys, and nothing has to be deployed.
    case settings(service: String)

    var service: String {
        switch self {
        case .rollback(let service, _, _), .build(let service, _), .image(let service, _, _), .deployOnly(let service),
            .settings(let service):
            service
        }
    }

    var token: String {
        func text(_ members: [(key: String, value: JSON)]) -> String {
            JSON.object(JSONObject(members + [("service", .string(service))])).description
        }
        switch self {
        case .rollback(_, let deploy, let build):
            return text([("rollback", .string(deploy))] + (build.map { [("build", .string($0))] } ?? []))
        case .build(_, let commit): return text([("build", .string(commit))])
        case .image(_, let owner, let image): return text([("image", .string(image)), ("owner", .string(owner))])
        case .deployOnly: return text([("deploy", "existing build")])
        case .settings: return text([("deploy", "nothing")])
        }
    }

    /// Nil for a text that is not a token.
    init?(token: String) {
        guard let json = try? JSON(parsing: token), let service = json["service"]?.string else { return nil }  // Nil is the answer.
        if let deploy = json["rollback"]?.string {
            self = .rollback(service: service, deploy: deploy, build: json["build"]?.string)
        } else if let commit = json["build"]?.string {
            self = .build(service: service, commit: commit)
        } else if let image = json["image"]?.string, let owner = json["owner"]?.string {
            self = .image(service: service, owner: owner, image: image)
        } else if json["deploy"]?.string == "existing build" {
            self = .deployOnly(service: service)
        } else if json["deploy"]?.string == "nothing" {
            self = .settings(service: service)
        } else {
            return nil
        }
    }
}

/// A write before a route's last one. All of them may be sent twice.
enum RenderPart: Sendable, Hashable {
    /// - Parameter past: what is known of the key's earlier values, as ``ValueHistory`` writes it.
    case set(key: String, past: String)
    case remove(key: String)
    /// Saves the image, which the last write deploys.
    case saveImage

    var text: String {
        switch self {
        case .set(let key, let past): JSON.object(JSONObject([("set", .string(key)), ("past", .string(past))])).description
        case .remove(let key): JSON.object(JSONObject([("remove", .string(key))])).description
        case .saveImage: JSON.object(JSONObject([("save", "image")])).description
        }
    }

    /// Nil for a text that is no part.
    init?(_ text: String) {
        guard let json = try? JSON(parsing: text) else { return nil }  // Nil is the answer.
        if let key = json["set"]?.string {
            self = .set(key: key, past: json["past"]?.string ?? "")
        } else if let key = json["remove"]?.string {
            self = .remove(key: key)
        } else if json["save"]?.string == "image" {
            self = .saveImage
        } else {
            return nil
        }
    }
}
