/// One deploy of a simulated service.
struct RenderDeploy: Sendable {
    /// A status on the way, and how long it lasts; nil: for ever.
    struct Stage: Sendable {
        var status: String
        var lasts: Int64?
    }

    /// What a deploy runs with. A rollback brings most of it back.
    struct Snapshot: Sendable {
        var commit: RenderCommit?
        var image: RenderImage?
        /// What the image was when it was pulled.
        var sha: String?
        var variables: [RenderVariable]
        var startCommand: String
        var healthCheckPath: String
        var instances: Int
        /// Env groups that are linked, by their ids.
        var groups: [String]
    }

    /// What becomes of a deploy.
    enum Fate: Sendable, Equatable {
        case succeeds, buildFails, preDeployFails, healthCheckFails, stuck
        /// Passes through a status that no client has heard of.
        case passesThrough(String)
    }

    var id: String
    var trigger: String
    var snapshot: Snapshot
    /// The deploy whose build it runs.
    var artifact: String
    var rollbackTarget: String?
    var createdAt: RenderTime
    var startedAt: RenderTime?
    var finishedAt: RenderTime?
    var updatedAt: RenderTime
    var status = "queued"
    /// What is still to come.
    var stages: [Stage] = []
    /// The last status, once all stages are over.
    var end = "live"
    /// When the present status ends; nil: it is final, waits for another deploy, or lasts for ever.
    var changesAt: Int64?

    var isActive: Bool { !["live", "deactivated", "build_failed", "pre_deploy_failed", "update_failed", "canceled"].contains(status) }
    /// True while it waits for another deploy to end.
    var isWaiting: Bool { isActive && startedAt == nil }
    var hasServed: Bool { status == "live" || status == "deactivated" }
}

struct RenderCommit: Sendable, Hashable {
    var id: String
    var message: String
    var createdAt: RenderTime
}

struct RenderVariable: Sendable, Hashable {
    var key: String
    var value: String
    /// Changes with every write of this row; its cursor follows.
    var version = 0
}

/// A deploy that somebody asked for.
struct RenderDeployRequest: Sendable {
    var trigger: String
    var commit: RenderCommit?
    var image: RenderImage?
    var clearsCache = false
    /// Runs what was built before, with the present settings.
    var skipsBuild = false
    /// The deploy whose snapshot comes back.
    var rollbackTarget: String?
    /// Runs exactly what runs now.
    var repeats = false
}
