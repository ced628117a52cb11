import HTTPCore
import JSONValues
import Model
import ProviderKit

/// The operations that Belay uses, with their paths in one place: Vercel moves them between versions.
struct VercelAPI: Sendable {
    private enum Path {
        static func project(_ nameOrID: String) -> String { "/v9/projects/\(nameOrID.percentEncoded)" }
        static let deployments = "/v7/deployments"
        static func deployment(_ idOrHost: String) -> String { "/v13/deployments/\(idOrHost.percentEncoded)" }
        static let create = "/v13/deployments"
        static func promote(_ project: String, _ deployment: String) -> String {
            "/v10/projects/\(project.percentEncoded)/promote/\(deployment.percentEncoded)"
        }
        static func rollback(_ project: String, _ deployment: String) -> String {
            "/v1/projects/\(project.percentEncoded)/rollback/\(deployment.percentEncoded)"
        }
        static func aliases(_ project: String, of type: String) -> String {
            type == "rollback"
                ? "/v9/projects/\(project.percentEncoded)/rollback/aliases" : "/v1/projects/\(project.percentEncoded)/promote/aliases"
        }
        static func variables(_ project: String) -> String { "/v10/projects/\(project.percentEncoded)/env" }
        static func variable(_ project: String, _ id: String) -> String {
            "/v9/projects/\(project.percentEncoded)/env/\(id.percentEncoded)"
        }
        static func rollingRelease(_ project: String) -> String { "/v1/projects/\(project.percentEncoded)/rolling-release" }
    }

    var client: APIClient
    /// The team's slug or id; nil for the token's own account.
    var team: String?

    private typealias Query = [(name: String, value: String?)]

    private var scope: Query {
        guard let team else { return [] }
        return [(team.hasPrefix("team_") ? "teamId" : "slug", team)]
    }

    // MARK: - Reading

    /// The project, and the provider's clock.
    func project(_ nameOrID: String) async throws(APIError) -> (project: VercelProject, time: Timestamp?) {
        let purpose = "reading project \(nameOrID)"
        // Without rollbackInfo, Vercel says that there was no job, whatever was the case: a parameter that its documentation lacks.
        let answer = try await client.send(.get, Path.project(nameOrID), query: [("rollbackInfo", "true")] + scope, while: purpose)
        guard let project = VercelProject(answer.body) else { throw APIError(missing: "project id and name", purpose: purpose) }
        return (project, answer.time)
    }

    func deployment(_ idOrHost: String) async throws(APIError) -> VercelDeployment {
        let purpose = "reading deployment \(idOrHost)"
        let answer = try await client.send(.get, Path.deployment(idOrHost), query: scope, while: purpose)
        guard let deployment = VercelDeployment(answer.body) else { throw APIError(missing: "deployment id", purpose: purpose) }
        return deployment
    }

    /// One page, the newest first, and the cursor of the next one; nil at the end.
    func deployments(
        of project: String, _ filter: [(name: String, value: String?)], limit: Int, until: String? = nil
    ) async throws(APIError) -> (page: [VercelDeployment], next: String?) {
        let purpose = "listing deployments"
        let query: Query = [("projectId", project)] + filter + [("limit", String(limit)), ("until", until)] + scope
        let answer = try await client.send(.get, Path.deployments, query: query, while: purpose)
        guard let items = answer.body?["deployments"]?.array else { throw APIError(missing: "list of deployments", purpose: purpose) }
        var next: String?
        if case .number(let digits)? = answer.body?["pagination"]?["next"] { next = digits }
        guard next == nil || next != until else { throw APIError(missing: "cursor that advances", purpose: purpose) }
        return (items.compactMap { VercelDeployment($0) }, next)
    }

    func rollingRelease(of project: String) async throws(APIError) -> VercelRollingRelease? {
        let answer = try await client.send(
            .get, Path.rollingRelease(project), query: [("state", "ACTIVE")] + scope, while: "reading the rolling release")
        return VercelRollingRelease(answer.body?["rollingRelease"])
    }

    /// The domains that the last job did not move.
    func failedDomains(of project: String, job type: String) async throws(APIError) -> [String] {
        let answer = try await client.send(
            .get, Path.aliases(project, of: type), query: [("failedOnly", "true"), ("limit", "100")] + scope,
            while: "reading the domains of the last \(type)")
        // The document has a string here, the vendor's own program an object.
        return (answer.body?["aliases"]?.elements ?? []).compactMap { $0["alias"]?.string ?? $0["alias"]?["alias"]?.string }
    }

    /// The project's environment variables, with the values that the token may read.
    func variables(of project: String) async throws(APIError) -> VercelVariables {
        let purpose = "reading environment variables"
        let answer = try await client.send(.get, Path.variables(project), query: [("decrypt", "true")] + scope, while: purpose)
        // A project with one variable may be answered with that variable instead of a list.
        let items = answer.body?["envs"]?.array ?? (answer.body?["key"] == nil ? nil : [answer.body ?? .null])
        guard let items else { throw APIError(missing: "list of variables", purpose: purpose) }
        // The document knows no way to a second page.
        guard answer.body?["pagination"]?["next"]?.double == nil else { throw APIError(missing: "rest of the list", purpose: purpose) }
        return VercelVariables(
            all: items.compactMap { VercelVariable($0) }, hidden: answer.body?["hiddenProductionEnvCount"]?.integer ?? 0)
    }

    // MARK: - Writing

    /// Switches automatic assignment of domains. What is not named stays as it is.
    func setAutoAssignment(_ project: String, _ isOn: Bool, by who: String) async throws(APIError) {
        _ = try await client.send(
            .patch, Path.project(project), query: scope,
            body: ["autoAssignCustomDomains": .bool(isOn), "autoAssignCustomDomainsUpdatedBy": .string(who)],
            while: "switching automatic assignment of domains \(isOn ? "on" : "off")")
    }

    /// Sends it, once.
    /// - Parameters:
    ///   - name: of the project, which a creation must carry.
    ///   - reason: at most 250 characters are sent.
    ///   - value: of the variable; only a `put` has one.
    func send(
        _ write: VercelWrite, name: String, reason: String, meta: [(key: String, value: JSON)], value: Secret?
    ) async throws(APIError) -> APIAnswer {
        switch write {
        case .rollback(let project, let deployment):
            return try await client.send(
                .post, Path.rollback(project, deployment), query: [("description", String(reason.prefix(250)))] + scope, body: [:],
                while: "rolling back to \(deployment)")
        case .promote(let project, let deployment):
            return try await client.send(
                .post, Path.promote(project, deployment), query: scope, body: [:], while: "promoting \(deployment)")
        case .rebuild(let project, let deployment):
            let marks = meta + [(VercelMark.source, .string(deployment))]
            return try await create(
                ["name": .string(name), "project": .string(project), "deploymentId": .string(deployment)], marks,
                while: "building \(deployment) anew")
        case .build(let project, let source):
            return try await create(
                ["name": .string(name), "project": .string(project), "gitSource": VercelWrite.json(source)], meta,
                while: "building commit \(source["sha"] ?? "")")
        case .renew(let project, let renewal):
            var marks = meta + [(VercelMark.source, .string(renewal.origin))]
            if renewal.origin != renewal.deployment { marks.append((VercelMark.parent, .string(renewal.deployment))) }
            var body: JSON = ["name": .string(name), "project": .string(project)]
            if let git = renewal.git {
                body["gitSource"] = VercelWrite.json(git)
            } else {
                body["deploymentId"] = .string(renewal.deployment)
            }
            return try await create(body, marks, while: "building \(renewal.deployment) anew")
        case .put(let project, let key, let kind):
            return try await client.send(
                .post, Path.variables(project), query: [("upsert", "true")] + scope,
                body: [
                    "key": .string(key), "value": .string(value?.reveal() ?? ""), "type": .string(kind.rawValue),
                    "target": [.string(VercelVariable.production)],
                ], while: "setting \(key)")
        case .detach(let project, let id, let key, let targets):
            return try await client.send(
                .patch, Path.variable(project, id), query: scope, body: ["target": .array(targets.map(JSON.string))],
                while: "taking \(key) from production")
        case .remove(let project, let id, let key):
            return try await client.send(.delete, Path.variable(project, id), query: scope, while: "removing \(key)")
        }
    }

    private func create(_ body: JSON, _ meta: [(key: String, value: JSON)], while purpose: String) async throws(APIError) -> APIAnswer {
        var body = body
        // Without a target, Vercel would make a preview; without forceNew, it may answer with a deployment that is there already.
        body["target"] = "production"
        body["meta"] = .object(JSONObject(meta))
        return try await client.send(
            .post, Path.create, query: [("forceNew", "1"), ("skipAutoDetectionConfirmation", "1")] + scope, body: body, while: purpose)
    }
}
