import JSONValues

extension VercelProject {
    /// As a list shows it. The older list has no word for a deployment that is blocked.
    func listItem(_ deployment: VercelDeployment, _ now: Int64, knowsBlocked: Bool) -> JSON {
        var state = deployment.state(at: now)
        if state == "BLOCKED", !knowsBlocked { state = "QUEUED" }
        let assigned = assignment(of: deployment)
        let aliasError = aliasError(of: deployment, now) ?? .null
        let failure = failure(of: deployment, state)
        let conclusion = checksState(deployment, now)
        let ready: JSON? = state == "READY" ? .milliseconds(deployment.builtAt) : nil
        let deleted: JSON? = state == "DELETED" ? .milliseconds(deployment.deletedAt) : nil
        let byRetention: JSON? = state == "DELETED" ? true : nil
        let creator: JSON = ["uid": "user_sim", "username": .string(deployment.author)]
        return .members([
            ("uid", .string(deployment.id)), ("name", .string(name)), ("projectId", .string(id)), ("url", .string(deployment.url)),
            ("created", .milliseconds(deployment.createdAt)), ("createdAt", .milliseconds(deployment.createdAt)),
            ("source", .string(deployment.source)), ("state", .string(state)), ("readyState", .string(state)),
            ("readySubstate", substate(deployment, now).map(JSON.string)), ("type", "LAMBDAS"),
            ("creator", creator),
            ("inspectorUrl", .string("https://vercel.com/\(team ?? "personal")/\(name)/\(deployment.id.dropFirst(4))")),
            ("meta", meta(deployment)), ("target", .optional(deployment.target)),
            ("aliasAssigned", assigned),
            ("aliasError", aliasError),
            ("ready", ready),
            ("isRollbackCandidate", .bool(isRollbackCandidate(deployment, now))), ("checks", checks(deployment, now)),
            ("checksState", conclusion?.state), ("checksConclusion", conclusion?.conclusion),
            ("errorCode", failure?.code), ("errorMessage", failure?.message),
            ("deleted", deleted),
            ("softDeletedByRetention", byRetention),
            ("seatBlock", seatBlock(deployment)),
        ])
    }

    /// `GET /v13/deployments/{idOrUrl}`.
    func detail(_ deployment: VercelDeployment, plan: String, _ now: Int64) -> JSON {
        let state = shownState(deployment, now)
        let planned = deployment.isProduction && !deployment.isDecided && !deployment.isStagedOnly
        let aliases = planned ? servingDomains.map { JSON.string(domains[$0].name) } : aliases(of: deployment.id)
        let aliasError = aliasError(of: deployment, now) ?? .null
        let failure = failure(of: deployment, state)
        let conclusion = checksState(deployment, now)
        let ready: JSON? = state == "READY" ? .milliseconds(deployment.builtAt) : nil
        let canceled: JSON? = state == "CANCELED" ? .milliseconds(deployment.canceledAt ?? now) : nil
        let assignedAt: JSON? = deployment.assignedAt.map { .milliseconds($0) }
        let keys = JSON.array(deployment.variables.map { .string($0.key) })
        let owner: JSON = ["id": .string(id), "name": .string(name), "framework": "nextjs"]
        return .members([
            ("id", .string(deployment.id)), ("name", .string(name)), ("url", .string(deployment.url)), ("projectId", .string(id)),
            ("ownerId", .string(accountID)), ("project", owner),
            ("readyState", .string(state)), ("status", .string(state)), ("readySubstate", substate(deployment, now).map(JSON.string)),
            ("target", .optional(deployment.target)), ("alias", .array(aliases)), ("aliasAssigned", .bool(deployment.assignedAt != nil)),
            ("aliasAssignedAt", assignedAt),
            ("aliasError", aliasError), ("aliasWarning", .null),
            ("checks", checks(deployment, now)), ("checksState", conclusion?.state),
            ("checksConclusion", conclusion?.conclusion),
            ("errorCode", failure?.code), ("errorMessage", failure?.message),
            ("createdAt", .milliseconds(deployment.createdAt)), ("bootedAt", .milliseconds(deployment.createdAt)),
            ("buildingAt", .milliseconds(deployment.createdAt + deployment.queueTime)), ("buildSkipped", false),
            ("ready", ready),
            ("canceledAt", canceled), ("creator", creator(deployment)),
            ("meta", meta(deployment)), ("source", .string(deployment.source)), ("gitSource", gitSource(deployment)), ("public", false),
            ("type", "LAMBDAS"), ("regions", ["iad1"]), ("version", 2), ("plan", .string(plan)), ("createdIn", "iad1"), ("routes", .null),
            ("build", ["env": keys]), ("env", keys),
            ("inspectorUrl", .string("https://vercel.com/\(team ?? "personal")/\(name)/\(deployment.id.dropFirst(4))")),
            ("isInConcurrentBuildsQueue", false), ("isInSystemBuildsQueue", false), ("projectSettings", [:]),
            ("seatBlock", seatBlock(deployment)),
        ])
    }

    /// Only lists know `DELETED`.
    func shownState(_ deployment: VercelDeployment, _ now: Int64) -> String {
        let state = deployment.state(at: now)
        return state == "DELETED" ? "READY" : state
    }

    func substate(_ deployment: VercelDeployment, _ now: Int64) -> String? {
        guard deployment.isProduction, deployment.isReady(at: now) else { return nil }
        if let rolling, rolling.state == "ACTIVE", rolling.canary == deployment.id { return "ROLLING" }
        return deployment.isPromoted ? "PROMOTED" : "STAGED"
    }

    func meta(_ deployment: VercelDeployment) -> JSON {
        .object(JSONObject(deployment.shownMeta(repository: repository).map { (key: $0.key, value: .string($0.value)) }))
    }

    /// A time, or `false`.
    func assignment(of deployment: VercelDeployment) -> JSON { deployment.assignedAt.map { .milliseconds($0) } ?? false }

    private func seatBlock(_ deployment: VercelDeployment) -> JSON? {
        deployment.build == .blocked ? ["blockCode": "COMMIT_AUTHOR_REQUIRED"] : nil
    }

    func creator(_ deployment: VercelDeployment) -> JSON { ["uid": "user_sim", "username": .string(deployment.author)] }

    func aliases(of id: String) -> [JSON] { domains.filter { $0.deployment == id }.map { .string($0.name) } }

    func aliasError(of deployment: VercelDeployment, _ now: Int64) -> JSON? {
        guard case .error(let code, let message) = deployment.assignment, deployment.isReady(at: now), deployment.isDecided else {
            return nil
        }
        return ["code": .string(code), "message": .string(message)]
    }

    private func gitSource(_ deployment: VercelDeployment) -> JSON? {
        guard let sha = deployment.sha else { return nil }
        return ["type": "github", "ref": .string(deployment.ref), "sha": .string(sha), "repoId": 1_234_567]
    }

    private func failure(of deployment: VercelDeployment, _ state: String) -> (code: JSON, message: JSON)? {
        guard case .error(let code, let message) = deployment.build, state == "ERROR" else { return nil }
        return (.string(code), .string(message))
    }

    /// The check that guards the domains.
    private func checks(_ deployment: VercelDeployment, _ now: Int64) -> JSON? {
        guard deployment.isReady(at: now) else { return nil }
        let state: String
        switch deployment.assignment {
        case .checksFailed: state = "failed"
        case .checksPending: state = "pending"
        case .normal, .skipped, .error: return nil
        }
        return ["deployment-alias": ["state": .string(state), "startedAt": .milliseconds(deployment.builtAt)]]
    }

    private func checksState(_ deployment: VercelDeployment, _ now: Int64) -> (state: JSON, conclusion: JSON?)? {
        guard deployment.isReady(at: now) else { return nil }
        switch deployment.assignment {
        case .checksFailed: return ("completed", "failed")
        case .checksPending: return ("running", nil)
        case .normal, .skipped, .error: return nil
        }
    }

    /// For tests and people: what matters, without what Vercel adds.
    func summary(at now: Int64) -> JSON {
        let serving = domains.map { (key: $0.name, value: JSON.optional($0.deployment)) }
        let releases = deployments.map { deployment -> JSON in
            .members([
                ("id", .string(deployment.id)), ("url", .string(deployment.url)), ("sha", .optional(deployment.sha)),
                ("target", .string(deployment.target ?? "preview")), ("state", .string(deployment.state(at: now))),
                ("substate", substate(deployment, now).map(JSON.string)), ("meta", meta(deployment)),
                ("env", .object(JSONObject(deployment.variables.map { (key: $0.key, value: .string($0.marker)) }))),
            ])
        }
        let writes = books.map { entry -> JSON in
            .members([
                ("at", .milliseconds(entry.at)), ("operation", .string(entry.operation)), ("deployment", entry.deployment.map(JSON.string)),
                ("key", (entry.variable?.key).map(JSON.string)), ("variable", (entry.variable?.id).map(JSON.string)),
                ("value", entry.isOn.map(JSON.bool)), ("by", entry.byHuman ? "human" : "api"),
            ])
        }
        var members: [(String, JSON?)] = [
            ("name", .string(name)), ("id", .string(id)), ("team", .optional(team)), ("production", .optional(production)),
            ("autoAssign", .bool(autoAssign)), ("autoAssignUpdatedBy", autoAssignUpdatedBy.map(JSON.string)), ("paused", .bool(isPaused)),
            ("domains", .object(JSONObject(serving))),
        ]
        if let job {
            members.append(("job", ["type": .string(job.kind.rawValue), "to": .string(job.to), "status": .string(job.status)]))
        }
        members.append(("rollbackDescription", rollback.map { .string($0.text) }))
        if let rolling {
            members.append(
                ("rollingRelease", ["state": .string(rolling.state), "canary": .string(rolling.canary), "stage": .integer(rolling.active)]))
        }
        members.append(("env", .array(variables.map(\.summary))))
        members.append(("deployments", .array(releases)))
        members.append(("writes", .array(writes)))
        return .members(members)
    }
}
