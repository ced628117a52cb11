/// One simulated project with its deployments and its production domains.
struct VercelProject: Sendable {
    struct Domain: Sendable {
        var name: String
        /// Set for a domain that only redirects: it serves no deployment.
        var redirect: String?
        var deployment: String?
    }

    struct Timing: Sendable {
        var queue: Int64 = 1000
        var build: Int64 = 60_000
        /// From a finished build to its domains.
        var assign: Int64 = 1000
        /// How long a promote or rollback job waits before it begins.
        var pending: Int64 = 500
        /// How long it then takes over all domains.
        var job: Int64 = 2000
    }

    struct Description: Sendable {
        var text: String
        var createdAt: Int64
    }

    /// A write that took effect, through the API or by a person: the simulator's books.
    struct Entry: Sendable {
        var at: Int64
        var operation: String
        var deployment: String?
        var byHuman: Bool
        var variable: (id: String, key: String)?
        /// What automatic assignment of domains was set to.
        var isOn: Bool?
    }

    var id: String
    var name: String
    /// The team's slug; nil for a personal account.
    var team: String?
    var repository: String
    var branch: String
    var domains: [Domain]
    var deployments: [VercelDeployment] = []
    /// `targets.production`.
    var production: String?
    /// What the pointer held before, the oldest first.
    var history: [String] = []
    private(set) var autoAssign = true
    private(set) var autoAssignUpdatedBy: String?
    var variables: [VercelVariable] = []
    /// Keys that the next creation of variables leaves out.
    var failingVariables: Set<String> = []
    var isPaused = false
    var job: VercelJob?
    var rollback: Description?
    /// Nil: rolling releases are not configured.
    var stages: [VercelRollingRelease.Stage]?
    var rolling: VercelRollingRelease?
    var timing = Timing()
    /// What becomes of the next promote or rollback job.
    var nextJob: VercelJob.Outcome = .succeeded
    var nextBuild: VercelDeployment.Build = .ready
    var nextAssignment: VercelDeployment.Assignment = .normal
    /// True: `pagination.next` repeats the request's `until`.
    var hasStuckCursor = false
    var books: [Entry] = []
    var createdAt: Int64

    var accountID: String { team.map { "team_\($0)" } ?? "user_\(name)" }

    func deployment(_ id: String) -> VercelDeployment? { deployments.first { $0.id == id } }

    /// False when it had that value already: then who set it stays as well.
    @discardableResult
    mutating func setAutoAssign(_ isOn: Bool, by who: String?) -> Bool {
        guard autoAssign != isOn else { return false }
        autoAssign = isOn
        autoAssignUpdatedBy = who
        return true
    }

    mutating func update(_ id: String, _ change: (inout VercelDeployment) -> Void) {
        guard let index = deployments.firstIndex(where: { $0.id == id }) else { return }
        change(&deployments[index])
    }

    /// Domains that serve; the others redirect.
    var servingDomains: [Int] { domains.indices.filter { domains[$0].redirect == nil } }
}

/// The last promote or rollback of a project.
struct VercelJob: Sendable {
    enum Outcome: Sendable, Equatable {
        case succeeded
        /// The named domains stay where they are, the others move.
        case failed([String])
        case skipped
        /// Stays where it is for ever: `pending`, or `in-progress` with half of the domains moved.
        case neverBegins, neverEnds
    }

    enum Kind: String, Sendable { case promote, rollback }

    var kind: Kind
    var from: String?
    var to: String
    var rollingRelease: String?
    var requestedAt: Int64
    var outcome: Outcome
    var status = "pending"
    /// Domains by their index, once they were dealt with; false: it failed.
    var moved: [Int: Bool] = [:]

    var isUnderWay: Bool { status == "pending" || status == "in-progress" }
}

/// A gradual rollout.
struct VercelRollingRelease: Sendable {
    struct Stage: Sendable {
        var percentage: Int
        /// Nil: waits for an approval.
        var minutes: Int?
    }

    var id: String
    var state = "ACTIVE"
    var current: String?
    var canary: String
    var queued: String?
    var stages: [Stage]
    var active = 0
    var startedAt: Int64
    var updatedAt: Int64

    /// When the active stage ends by itself; nil when it waits for somebody.
    var nextAt: Int64? {
        guard state == "ACTIVE", stages.indices.contains(active) else { return nil }
        return stages[active].minutes.map { updatedAt + Int64($0) * 60_000 }
    }
}
