import JSONValues

/// One simulated service: its saved settings, its deploys, and what runs.
struct RenderService: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case staticSite = "static_site"
        case web = "web_service"
        case privateService = "private_service"
        case worker = "background_worker"
        case cron = "cron_job"

        /// As env groups write it, and the dashboard's addresses.
        var short: String {
            switch self {
            case .staticSite: "static"
            case .web: "web"
            case .privateService: "pserv"
            case .worker: "worker"
            case .cron: "cron"
            }
        }
    }

    struct Timing: Sendable {
        var queue: Int64 = 0
        var build: Int64 = 90_000
        var preDeploy: Int64 = 5000
        var update: Int64 = 25_000
        /// From a push to its deploy.
        var push: Int64 = 20_000
        /// How long a version that never becomes healthy is waited for.
        var healthCheck: Int64 = 900_000
    }

    /// Settings as they are saved; they run from the next standard deploy on.
    struct Settings: Sendable {
        var runtime: String
        var repository: String?
        var branch: String?
        var image: RenderImage?
        var rootDirectory = ""
        var buildCommand = "npm ci"
        var startCommand = "npm start"
        var preDeployCommand = ""
        var healthCheckPath = ""
        var plan = "starter"
        var schedule = "0 * * * *"
        var instances = 1
        var shutdownDelay = 30
        /// `off`, `commit` or `checksPass`.
        var autoDeploy = "commit"
        var disk: String?
        var isAutoscaled = false
        var isInMaintenance = false
        var maintenancePage = ""
    }

    /// A mutating call that took effect: the simulator's books.
    struct Entry: Sendable {
        var at: Int64
        var operation: String
        var byHuman: Bool
        /// Facts without values.
        var facts: [(key: String, value: JSON)] = []
    }

    /// What is in memory of the running instances.
    struct Running: Sendable {
        var deploy: String
        var snapshot: RenderDeploy.Snapshot
        /// The service's own variables and those of its groups, as they were when the instances began.
        var environment: [RenderVariable]
        var since: RenderTime
    }

    var id: String
    var name: String
    var kind: Kind
    var settings: Settings
    var variables: [RenderVariable] = []
    var secretFiles: [RenderVariable] = []
    var suspenders: [String] = []
    /// The oldest first.
    var deploys: [RenderDeploy] = []
    /// Under the Wait policy: the last deploy that was asked for while another one ran.
    var waiting: RenderDeployRequest?
    var running: Running?
    /// Of the branch, the oldest first.
    var commits: [RenderCommit] = []
    /// Pushes that are not deploys yet.
    var pushes: [(at: Int64, commit: RenderCommit)] = []
    var events: [RenderEvent] = []
    var timing = Timing()
    var createdAt: RenderTime
    var updatedAt: RenderTime
    /// What becomes of the next deploy.
    var next: RenderDeploy.Fate = .succeeds
    /// Deploys whose build was deleted before its time.
    var evicted: Set<String> = []
    /// The API key may not use it.
    var isForbidden = false
    var showsNoCommit = false
    var books: [Entry] = []

    var isImageBacked: Bool { settings.image != nil }
    var isSuspended: Bool { !suspenders.isEmpty }
    var active: RenderDeploy? { deploys.last { $0.isActive && !$0.isWaiting } }
    var live: RenderDeploy? { deploys.last { $0.status == "live" } }

    func deploy(_ id: String) -> RenderDeploy? { deploys.first { $0.id == id } }

    mutating func update(_ id: String, _ change: (inout RenderDeploy) -> Void) {
        guard let index = deploys.firstIndex(where: { $0.id == id }) else { return }
        change(&deploys[index])
    }

    mutating func note(_ at: Int64, _ operation: String, byHuman: Bool = false, _ facts: [(key: String, value: JSON)] = []) {
        books.append(Entry(at: at, operation: operation, byHuman: byHuman, facts: facts))
    }

    /// True while the build of a deploy is kept: that of the newest ones that have served.
    func keepsArtifact(of deploy: RenderDeploy, _ retention: Int) -> Bool {
        guard !evicted.contains(deploy.id) else { return false }
        var kept: [String] = []
        for served in deploys.sorted(by: { $0.createdAt > $1.createdAt }) where served.hasServed && !kept.contains(served.artifact) {
            kept.append(served.artifact)
        }
        return kept.prefix(retention).contains(deploy.artifact)
    }
}

/// Something that happened to a service.
struct RenderEvent: Sendable {
    var id: String
    var at: RenderTime
    var type: String
    var details: JSON
}

/// A group of variables that services share.
struct RenderGroup: Sendable {
    var id: String
    var name: String
    var variables: [RenderVariable] = []
    var secretFiles: [RenderVariable] = []
    /// Ids of the services that it is linked to.
    var services: [String] = []
    var createdAt: RenderTime
    var updatedAt: RenderTime
    var books: [RenderService.Entry] = []
}

/// Maintenance that the platform plans.
struct RenderMaintenance: Sendable {
    var id: String
    var resource: String
    var state: String
    var type: String
    var scheduledAt: RenderTime
}
