import JSONValues

/// The one request of a route; also a route's token.
enum VercelWrite: Sendable, Hashable {
    /// A kept build that has served takes the domains again.
    case rollback(project: String, deployment: String)
    /// A kept build that has not served takes the domains.
    case promote(project: String, deployment: String)
    /// A new build from a deployment's source.
    case rebuild(project: String, deployment: String)
    /// A new build from a commit of the project's repository.
    case build(project: String, source: [String: String])

    /// The vendor's word for a job of this kind; nil for builds.
    var jobType: String? {
        switch self {
        case .rollback: "rollback"
        case .promote: "promote"
        case .rebuild, .build: nil
        }
    }

    /// The deployment that it puts in place; nil for builds, which make a new one.
    var deployment: String? {
        switch self {
        case .rollback(_, let deployment), .promote(_, let deployment): deployment
        case .rebuild, .build: nil
        }
    }

    var token: String {
        switch self {
        case .rollback(let project, let deployment):
            JSON.object(JSONObject([("rollback", .string(deployment)), ("project", .string(project))])).description
        case .promote(let project, let deployment):
            JSON.object(JSONObject([("promote", .string(deployment)), ("project", .string(project))])).description
        case .rebuild(let project, let deployment):
            JSON.object(JSONObject([("rebuild", .string(deployment)), ("project", .string(project))])).description
        case .build(let project, let source):
            JSON.object(JSONObject([("build", Self.json(source)), ("project", .string(project))])).description
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
        } else if let source = json["build"]?.object {
            self = .build(
                project: project,
                source: Dictionary(source.members.compactMap { member in member.value.string.map { (member.key, $0) } }) { first, _ in first
                })
        } else {
            return nil
        }
    }

    static func json(_ source: [String: String]) -> JSON {
        .object(JSONObject(source.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) }))
    }
}
