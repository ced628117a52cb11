import JSONValues
import Model

/// One request that writes; also the token of a route, or of a part of one.
enum VercelWrite: Sendable, Hashable {
    /// A kept build that has served takes the domains again.
    case rollback(project: String, deployment: String)
    /// A kept build that has not served takes the domains.
    case promote(project: String, deployment: String)
    /// A new build from a deployment's source.
    case rebuild(project: String, deployment: String)
    /// A new build from a commit of the project's repository.
    case build(project: String, source: [String: String])
    /// A new build of a deployment that could serve as it is, for the sake of its environment variables.
    case renew(project: String, Renewal)
    /// Gives a variable of production its desired value, which stands in no token.
    case put(project: String, key: String, kind: VercelVariable.Kind)
    /// Takes production away from a variable that other environments have as well; their value stays.
    case detach(project: String, id: String, key: String, targets: [String])
    case remove(project: String, id: String, key: String)

    struct Renewal: Sendable, Hashable {
        /// What is built anew.
        var deployment: String
        /// What that was built from, when it is a new build itself; otherwise the same.
        var origin: String
        /// The commit to build; nil: from the deployment.
        var git: [String: String]?
    }

    /// The vendor's word for a job of this kind; nil for what is no job.
    var jobType: String? {
        switch self {
        case .rollback: "rollback"
        case .promote: "promote"
        case .rebuild, .build, .renew, .put, .detach, .remove: nil
        }
    }

    /// The deployment that it puts in place; nil for builds, which make a new one, and for variables.
    var deployment: String? {
        switch self {
        case .rollback(_, let deployment), .promote(_, let deployment): deployment
        case .rebuild, .build, .renew, .put, .detach, .remove: nil
        }
    }

    var makesDeployment: Bool {
        switch self {
        case .rebuild, .build, .renew: true
        case .rollback, .promote, .put, .detach, .remove: false
        }
    }

    /// The key of the variable that it changes; nil for deployments.
    var key: String? {
        switch self {
        case .put(_, let key, _), .detach(_, _, let key, _), .remove(_, _, let key): key
        case .rollback, .promote, .rebuild, .build, .renew: nil
        }
    }

    /// The key whose value it writes.
    var writtenKey: String? {
        guard case .put(_, let key, _) = self else { return nil }
        return key
    }
}

// MARK: - As text

extension VercelWrite {
    /// Deterministic; holds no secret.
    var token: String {
        func text(_ project: String, _ members: [(key: String, value: JSON)]) -> String {
            JSON.object(JSONObject(members + [("project", .string(project))])).description
        }
        return switch self {
        case .rollback(let project, let deployment): text(project, [("rollback", .string(deployment))])
        case .promote(let project, let deployment): text(project, [("promote", .string(deployment))])
        case .rebuild(let project, let deployment): text(project, [("rebuild", .string(deployment))])
        case .build(let project, let source): text(project, [("build", Self.json(source))])
        case .renew(let project, let renewal):
            text(
                project,
                [("renew", .string(renewal.deployment)), ("origin", .string(renewal.origin))]
                    + (renewal.git.map { [("git", Self.json($0))] } ?? []))
        case .put(let project, let key, let kind): text(project, [("put", .string(key)), ("type", .string(kind.rawValue))])
        case .detach(let project, let id, let key, let targets):
            text(project, [("detach", .string(id)), ("key", .string(key)), ("target", .array(targets.map(JSON.string)))])
        case .remove(let project, let id, let key): text(project, [("remove", .string(id)), ("key", .string(key))])
        }
    }

    /// Nil for a text that is not a token.
    init?(token: String) {
        guard let json = try? JSON(parsing: token), let project = json["project"]?.string else { return nil }  // Nil is the answer.
        if let deployment = json["rollback"]?.string {
            self = .rollback(project: project, deployment: deployment)
        } else if let deployment = json["promote"]?.string {
            self = .promote(project: project, deployment: deployment)
        } else if let deployment = json["rebuild"]?.string {
            self = .rebuild(project: project, deployment: deployment)
        } else if let deployment = json["renew"]?.string, let origin = json["origin"]?.string {
            self = .renew(project: project, Renewal(deployment: deployment, origin: origin, git: Self.source(json["git"])))
        } else if let source = Self.source(json["build"]) {
            self = .build(project: project, source: source)
        } else if let key = json["put"]?.string, let kind = json["type"]?.string.flatMap(VercelVariable.Kind.init) {
            self = .put(project: project, key: key, kind: kind)
        } else if let id = json["detach"]?.string, let key = json["key"]?.string {
            self = .detach(project: project, id: id, key: key, targets: json["target"]?.elements.compactMap(\.string) ?? [])
        } else if let id = json["remove"]?.string, let key = json["key"]?.string {
            self = .remove(project: project, id: id, key: key)
        } else {
            return nil
        }
    }

    static func json(_ source: [String: String]) -> JSON {
        .object(JSONObject(source.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) }))
    }

    private static func source(_ json: JSON?) -> [String: String]? {
        guard let members = json?.object?.members else { return nil }
        return Dictionary(members.compactMap { member in member.value.string.map { (member.key, $0) } }) { first, _ in first }
    }
}

extension Route {
    /// What is sent when the route is walked; nil for a route that this version does not know.
    var write: VercelWrite? { VercelWrite(token: part ?? token) }
}
