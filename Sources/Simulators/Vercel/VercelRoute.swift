import HTTPCore
import JSONValues

/// One operation of the API.
struct VercelRoute: Sendable {
    var method: HTTPMethod
    /// Segments; those with a leading colon are parameters.
    var pattern: [String]
    /// The rate limit that it counts against.
    var bucket: String
    var handle: @Sendable (inout VercelState, VercelCall) throws(VercelFailure) -> VercelAnswer

    init(
        _ method: HTTPMethod, _ path: String, _ bucket: String,
        _ handle: @escaping @Sendable (inout VercelState, VercelCall) throws(VercelFailure) -> VercelAnswer
    ) {
        self.method = method
        pattern = path.split(separator: "/").map(String.init)
        self.bucket = bucket
        self.handle = handle
    }

    static let all: [VercelRoute] = [
        VercelRoute(.get, "/v10/projects", "projects.list") { state, call throws(VercelFailure) in try state.listProjects(call) },
        VercelRoute(.get, "/v9/projects/:project", "projects.get") { state, call throws(VercelFailure) in try state.getProject(call) },
        VercelRoute(.patch, "/v9/projects/:project", "projects.update") { state, call throws(VercelFailure) in
            try state.patchProject(call)
        },
        VercelRoute(.get, "/v9/projects/:project/domains", "projects.domains") { state, call throws(VercelFailure) in
            try state.listDomains(call)
        },
        VercelRoute(.get, "/v10/projects/:project/env", "env.list") { state, call throws(VercelFailure) in try state.listVariables(call) },
        VercelRoute(.post, "/v10/projects/:project/env", "env.create") { state, call throws(VercelFailure) in
            try state.createVariables(call)
        },
        VercelRoute(.get, "/v1/projects/:project/env/:variable", "env.get") { state, call throws(VercelFailure) in
            try state.getVariable(call)
        },
        VercelRoute(.patch, "/v9/projects/:project/env/:variable", "env.update") { state, call throws(VercelFailure) in
            try state.editVariable(call)
        },
        VercelRoute(.delete, "/v9/projects/:project/env/:variable", "env.delete") { state, call throws(VercelFailure) in
            try state.deleteVariable(call)
        },
        VercelRoute(.delete, "/v1/projects/:project/env", "env.delete.batch") { state, call throws(VercelFailure) in
            try state.deleteVariables(call)
        },
        VercelRoute(.post, "/v1/projects/:project/pause", "projects.update") { state, call throws(VercelFailure) in
            try state.pause(call, true)
        },
        VercelRoute(.post, "/v1/projects/:project/unpause", "projects.update") { state, call throws(VercelFailure) in
            try state.pause(call, false)
        },
        VercelRoute(.get, "/v7/deployments", "deployments.list") { state, call throws(VercelFailure) in try state.listDeployments(call) },
        VercelRoute(.get, "/v6/deployments", "deployments.list") { state, call throws(VercelFailure) in try state.listDeployments(call) },
        VercelRoute(.get, "/v13/deployments/:deployment", "deployments.get") { state, call throws(VercelFailure) in
            try state.getDeployment(call)
        },
        VercelRoute(.post, "/v13/deployments", "deployments.create") { state, call throws(VercelFailure) in
            try state.createDeployment(call)
        },
        VercelRoute(.patch, "/v12/deployments/:deployment/cancel", "deployments.cancel") { state, call throws(VercelFailure) in
            try state.cancelDeployment(call)
        },
        VercelRoute(.delete, "/v13/deployments/:deployment", "deployments.delete") { state, call throws(VercelFailure) in
            try state.deleteDeployment(call)
        },
        VercelRoute(.post, "/v10/projects/:project/promote/:deployment", "promote") { state, call throws(VercelFailure) in
            try state.promote(call)
        },
        VercelRoute(.post, "/v1/projects/:project/rollback/:deployment", "rollback") { state, call throws(VercelFailure) in
            try state.rollback(call)
        },
        VercelRoute(.post, "/v9/projects/:project/rollback/:deployment", "rollback") { state, call throws(VercelFailure) in
            try state.rollback(call)
        },
        VercelRoute(.patch, "/v1/projects/:project/rollback/:deployment/update-description", "rollback") {
            state, call throws(VercelFailure) in try state.describeRollback(call)
        },
        VercelRoute(.get, "/v1/projects/:project/promote/aliases", "promote.aliases") { state, call throws(VercelFailure) in
            try state.jobAliases(call)
        },
        VercelRoute(.get, "/v9/projects/:project/promote/aliases", "promote.aliases") { state, call throws(VercelFailure) in
            try state.jobAliases(call)
        },
        VercelRoute(.get, "/v9/projects/:project/rollback/aliases", "promote.aliases") { state, call throws(VercelFailure) in
            try state.jobAliases(call)
        },
        VercelRoute(.get, "/v1/projects/:project/rolling-release", "rolling-release") { state, call throws(VercelFailure) in
            try state.rollingRelease(call)
        },
        VercelRoute(.post, "/v1/projects/:project/rolling-release/complete", "rolling-release") { state, call throws(VercelFailure) in
            try state.completeRollingRelease(call)
        },
    ]

    static func find(_ request: HTTPRequest, _ now: Int64) throws(VercelFailure) -> (VercelRoute, VercelCall) {
        let target = RequestTarget(url: request.url)
        for route in [all, edgeConfigs].joined() where route.method == request.method {
            guard let parameters = route.parameters(of: target.path) else { continue }
            var body: JSON?
            if !request.body.isEmpty {
                do throws(JSONError) {
                    body = try JSON(parsing: request.body)
                } catch {
                    throw VercelFailure(400, "bad_request", "Invalid JSON")
                }
            }
            return (route, VercelCall(parameters: parameters, query: target, body: body, now: now))
        }
        throw VercelFailure(404, "not_found", "The API endpoint was not found.")
    }

    private func parameters(of path: [String]) -> [String: String]? {
        guard path.count == pattern.count else { return nil }
        var found: [String: String] = [:]
        for (segment, expected) in zip(path, pattern) {
            if expected.hasPrefix(":") {
                found[String(expected.dropFirst())] = segment
            } else if segment != expected {
                return nil
            }
        }
        return found
    }
}

/// One request, taken apart.
struct VercelCall {
    var parameters: [String: String]
    var query: RequestTarget
    var body: JSON?
    var now: Int64

    subscript(name: String) -> String { parameters[name] ?? "" }

    /// The number of a query parameter, or what is said when it is no number.
    func number(_ name: String) throws(VercelFailure) -> Int64? {
        guard let text = query[name] else { return nil }
        guard let number = Int64(text) else {
            throw VercelFailure(400, "bad_request", "Invalid request: `\(name)` should be number.")
        }
        return number
    }
}

extension VercelState {
    /// True if a project belongs to the account that the request asks for.
    func isInScope(_ project: VercelProject, _ call: VercelCall) throws(VercelFailure) -> Bool {
        let asked: String?
        if let id = call.query["teamId"] {
            asked = projects.compactMap(\.team).first { "team_\($0)" == id }
            guard asked != nil else { throw VercelFailure(403, "forbidden", "Not authorized") }
        } else if let slug = call.query["slug"] {
            asked = slug
            guard projects.contains(where: { $0.team == slug }) else { throw VercelFailure(403, "forbidden", "Not authorized") }
        } else {
            asked = nil
        }
        return project.team == asked
    }

    /// The position of the project that the path names, by id or by name where the operation takes one.
    func project(_ call: VercelCall, byName: Bool, missing: Int = 404) throws(VercelFailure) -> Int {
        for index in projects.indices {
            let project = projects[index]
            guard project.id == call["project"] || (byName && project.name == call["project"]) else { continue }
            if try isInScope(project, call) { return index }
        }
        throw VercelFailure(
            missing, missing == 404 ? "not_found" : "bad_request", "Project not found.")
    }

    /// The deployment that the path names by its id or by a host name, a production domain included.
    func find(_ call: VercelCall) throws(VercelFailure) -> (project: Int, deployment: VercelDeployment) {
        let asked = call["deployment"]
        guard asked.hasPrefix("dpl_") || asked.contains(".") else {
            throw VercelFailure(400, "bad_request", "Invalid request: `id` should be a deployment id or a host name.")
        }
        for index in projects.indices {
            let project = projects[index]
            guard try isInScope(project, call) else { continue }
            let served = project.domains.first { $0.name == asked }?.deployment
            guard let found = project.deployments.first(where: { $0.id == asked || $0.url == asked || $0.id == served }) else { continue }
            guard found.state(at: call.now) != "DELETED" else {
                throw VercelFailure(410, "deployment_deleted", "The deployment \(asked) was deleted.")
            }
            return (index, found)
        }
        throw VercelFailure(404, "not_found", "The deployment \(asked) could not be found.")
    }
}
