import JSONValues

extension JSON {
    /// Milliseconds since 1970, as Vercel writes times; `null` for nil.
    static func milliseconds(_ value: Int64?) -> JSON { value.map { .number(String($0)) } ?? .null }

    /// Members in their order; those that are nil are left out.
    static func members(_ members: [(String, JSON?)]) -> JSON {
        .object(JSONObject(members.compactMap { member in member.1.map { (key: member.0, value: $0) } }))
    }
}

extension VercelProject {
    /// `GET /v9/projects/{idOrName}`.
    ///
    /// - Parameter withRollbackInfo: without it, Vercel says that there was no job, whatever was the case.
    func json(plan: String, withRollbackInfo: Bool, _ now: Int64) -> JSON {
        let latest = deployments.filter { $0.state(at: now) != "DELETED" }.sorted { $0.createdAt > $1.createdAt }.prefix(5)
        let live = production.flatMap(deployment)
        let changed: JSON = .milliseconds(live?.assignedAt ?? createdAt)
        var members: [(String, JSON?)] = [
            ("accountId", .string(accountID)), ("createdAt", .milliseconds(createdAt)), ("directoryListing", false),
            ("framework", "nextjs"), ("id", .string(id)), ("lastRollbackTarget", .null), ("live", .bool(live != nil)),
            ("name", .string(name)), ("nodeVersion", "22.x"), ("paused", .bool(isPaused)), ("defaultResourceConfig", [:]),
            ("resourceConfig", [:]), ("serverlessFunctionRegion", "iad1"), ("updatedAt", changed), ("link", link),
        ]
        members.append(("alias", .array(domains.map { alias($0, plan, now) })))
        members.append(("autoAssignCustomDomains", .bool(autoAssign)))
        members.append(("autoAssignCustomDomainsUpdatedBy", autoAssignUpdatedBy.map(JSON.string)))
        let crons: JSON = [
            "enabledAt": .milliseconds(createdAt), "disabledAt": .null, "updatedAt": changed, "deploymentId": .optional(production),
            "definitions": [],
        ]
        members.append(("crons", crons))
        members.append(("deploymentExpiration", ["expirationDaysProduction": 365, "deploymentsToKeep": 20]))
        members.append(("lastAliasRequest", withRollbackInfo ? job.map { json($0) } ?? .null : .null))
        members.append(("latestDeployments", .array(latest.map { summary($0, plan, now) })))
        if let rollback {
            let description: JSON = [
                "userId": "user_sim", "username": "ada", "description": .string(rollback.text),
                "createdAt": .milliseconds(rollback.createdAt),
            ]
            members.append(("rollbackDescription", description))
        }
        var rolling: JSON = .null
        if let stages { rolling = ["target": "production", "stages": .array(stages.map { configuration($0) })] }
        members.append(("rollingRelease", rolling))
        members.append(("targets", ["production": live.map { summary($0, plan, now) } ?? .null]))
        return .members(members)
    }

    private var link: JSON {
        let parts = repository.split(separator: "/", maxSplits: 1).map(String.init)
        return [
            "type": "github", "org": .string(parts.first ?? ""), "repo": .string(parts.last ?? ""), "repoId": 1_234_567,
            "deployHooks": [], "gitCredentialId": "", "productionBranch": .string(branch),
        ]
    }

    private func alias(_ domain: Domain, _ plan: String, _ now: Int64) -> JSON {
        .members([
            ("configuredBy", "CNAME"), ("createdAt", .milliseconds(createdAt)),
            ("deployment", domain.deployment.flatMap(deployment).map { summary($0, plan, now) } ?? .null),
            ("domain", .string(domain.name)), ("environment", "production"), ("redirect", domain.redirect.map(JSON.string)),
            ("target", "PRODUCTION"),
        ])
    }

    private func configuration(_ stage: VercelRollingRelease.Stage) -> JSON {
        .members([
            ("targetPercentage", .integer(stage.percentage)), ("duration", stage.minutes.map(JSON.integer)),
            ("requireApproval", .bool(stage.minutes == nil)),
        ])
    }

    private func json(_ job: VercelJob) -> JSON {
        .members([
            ("fromDeploymentId", .optional(job.from)), ("toDeploymentId", .string(job.to)),
            ("fromRollingReleaseId", job.rollingRelease.map(JSON.string)), ("jobStatus", .string(job.status)),
            ("requestedAt", .milliseconds(job.requestedAt)), ("type", .string(job.kind.rawValue)),
        ])
    }

    /// A deployment as it stands in a project.
    private func summary(_ deployment: VercelDeployment, _ plan: String, _ now: Int64) -> JSON {
        let state = shownState(deployment, now)
        let assigned = assignment(of: deployment)
        let aliasError = aliasError(of: deployment, now) ?? .null
        let ready: JSON? = state == "READY" ? .milliseconds(deployment.builtAt) : nil
        return .members([
            ("alias", .array(aliases(of: deployment.id))), ("aliasAssigned", assigned), ("aliasError", aliasError),
            ("createdAt", .milliseconds(deployment.createdAt)),
            ("createdIn", "iad1"), ("creator", creator(deployment)), ("deploymentHostname", .string(deployment.url)),
            ("id", .string(deployment.id)), ("meta", meta(deployment)), ("name", .string(name)), ("plan", .string(plan)),
            ("private", false), ("readyState", .string(state)), ("readySubstate", substate(deployment, now).map(JSON.string)),
            ("readyAt", ready), ("target", .optional(deployment.target)),
            ("type", "LAMBDAS"), ("url", .string(deployment.url)), ("userId", "user_sim"),
        ])
    }

    func json(_ rolling: VercelRollingRelease, _ now: Int64) -> JSON {
        func stage(_ index: Int) -> JSON {
            guard rolling.stages.indices.contains(index) else { return .null }
            let stage = rolling.stages[index]
            // Minutes in the configuration, seconds here.
            return [
                "index": .integer(index), "isFinalStage": .bool(index == rolling.stages.count - 1),
                "targetPercentage": .integer(stage.percentage), "requireApproval": .bool(stage.minutes == nil),
                "duration": stage.minutes.map { .integer($0 * 60) } ?? .null,
            ]
        }
        func shown(_ id: String?) -> JSON {
            guard let deployment = id.flatMap(deployment) else { return .null }
            return [
                "id": .string(deployment.id), "name": .string(name), "url": .string(deployment.url),
                "createdAt": .milliseconds(deployment.createdAt), "readyState": .string(shownState(deployment, now)),
                "target": "production",
            ]
        }
        let isActive = rolling.state == "ACTIVE"
        return [
            "state": .string(rolling.state), "substate": .null, "currentDeployment": shown(rolling.current),
            "canaryDeployment": shown(rolling.canary), "queuedDeploymentId": .optional(rolling.queued),
            "advancementType": rolling.stages.contains { $0.minutes == nil } ? "manual-approval" : "automatic",
            "stages": .array(rolling.stages.indices.map(stage)), "activeStage": isActive ? stage(rolling.active) : .null,
            "nextStage": isActive ? stage(rolling.active + 1) : .null, "startedAt": .milliseconds(rolling.startedAt),
            "updatedAt": .milliseconds(rolling.updatedAt),
        ]
    }
}
