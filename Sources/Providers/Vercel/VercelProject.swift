import JSONValues
import Model

/// A project as the API tells of it: what its production domains serve, and what was last asked of them.
///
/// A reference, because it is large and passed on a lot, and nothing in it changes.
final class VercelProject: Sendable {
    struct Domain: Sendable {
        var name: String
        /// Nil: it serves nothing.
        var deployment: VercelDeployment?
    }

    let id: String
    let name: String
    /// `targets.production`.
    let production: VercelDeployment?
    /// Those that serve; redirects are left out.
    let domains: [Domain]
    let latest: [VercelDeployment]
    /// Nil when the answer does not say.
    let autoAssigns: Bool?
    let autoAssignUpdatedBy: String?
    let job: VercelJob?
    let rollbackReason: String?
    /// Who rolled back.
    let rollbackBy: String?
    let cronsDeployment: String?
    let isPaused: Bool
    /// Whether promoting begins a gradual rollout.
    let rollsOut: Bool
    let git: VercelGitLink?

    /// Nil when it lacks what every project has.
    init?(_ json: JSON?) {
        guard let json, let id = json["id"]?.string, let name = json["name"]?.string else { return nil }
        self.id = id
        self.name = name
        production = VercelDeployment(json["targets"]?["production"], isProduction: true)
        domains = (json["alias"]?.elements ?? []).compactMap { entry in
            guard let name = entry["domain"]?.string, entry["redirect"] == nil, entry["target"]?.string ?? "PRODUCTION" == "PRODUCTION"
            else { return nil }
            return Domain(name: name, deployment: VercelDeployment(entry["deployment"]))
        }
        latest = (json["latestDeployments"]?.elements ?? []).compactMap { VercelDeployment($0) }
        autoAssigns = json["autoAssignCustomDomains"]?.bool
        autoAssignUpdatedBy = json["autoAssignCustomDomainsUpdatedBy"]?.string
        job = VercelJob(json["lastAliasRequest"])
        rollbackReason = json["rollbackDescription"]?["description"]?.string
        rollbackBy = json["rollbackDescription"]?["username"]?.string
        cronsDeployment = json["crons"]?["deploymentId"]?.string
        isPaused = json["paused"]?.bool == true
        rollsOut = json["rollingRelease"] != nil
        git = VercelGitLink(json["link"])
    }
}

/// The last promote or rollback of a project, whoever asked for it.
struct VercelJob: Sendable, Hashable {
    /// `promote` or `rollback`, or what comes to be.
    var type: String
    var status: String
    var to: String
    var requested: Timestamp?

    init?(_ json: JSON?) {
        guard let json, let to = json["toDeploymentId"]?.string else { return nil }
        type = json["type"]?.string ?? "alias job"
        status = json["jobStatus"]?.string ?? "unknown"
        self.to = to
        requested = json["requestedAt"]?.timestamp
    }

    var isUnderWay: Bool { status == "pending" || status == "in-progress" }
    var hasFailed: Bool { status == "failed" || status == "skipped" }
    /// A word that is neither: the state of the domains has to tell.
    var isUnclear: Bool { !isUnderWay && !hasFailed && status != "succeeded" }
}

/// The repository that a project is connected with.
struct VercelGitLink: Sendable, Hashable {
    var source: [String: String]
    var branch: String

    init?(_ json: JSON?) {
        guard let json, let type = json["type"]?.string else { return nil }
        let fields: [String]
        switch type {
        case "github", "github-limited", "vercel": fields = ["org", "repo"]
        case "gitlab": fields = ["projectId"]
        case "bitbucket": fields = ["owner", "slug"]
        default: return nil
        }
        source = ["type": type]
        for field in fields {
            guard let value = json[field]?.string else { return nil }
            source[field] = value
        }
        branch = json["productionBranch"]?.string ?? "main"
    }
}

/// A gradual rollout that is under way.
struct VercelRollingRelease: Sendable {
    var current: String?
    var canary: String
    var queued: String?
    /// Of the visitors who see the new one; nil when the answer does not say.
    var percentage: Int?

    /// Nil unless one is active.
    init?(_ json: JSON?) {
        guard let json, json["state"]?.string == "ACTIVE", let canary = json["canaryDeployment"]?["id"]?.string else { return nil }
        self.canary = canary
        current = json["currentDeployment"]?["id"]?.string
        queued = json["queuedDeploymentId"]?.string
        percentage = (json["currentCanaryPercentage"] ?? json["activeStage"]?["targetPercentage"])?.integer
    }

    var progress: String { percentage.map { "\($0) % of the visitors" } ?? "some of the visitors" }
}
