/// One deployment of a simulated project; its state follows from the time.
struct VercelDeployment: Sendable {
    enum Build: Sendable, Equatable {
        case ready
        case error(code: String, message: String)
        /// Never begins: the commit's author has no seat.
        case blocked
        /// Somebody cancels it half way.
        case canceled
        /// Nobody hears of it again.
        case stuck
    }

    /// What happens between a finished build and the domains.
    enum Assignment: Sendable, Equatable {
        case normal
        /// A check that guards the domains fails.
        case checksFailed
        /// A check never ends.
        case checksPending
        /// "Assigning Custom Domains: Skipped", as during an incident of the platform.
        case skipped
        case error(code: String, message: String)
    }

    typealias BuiltVariable = (key: String, marker: String)

    var id: String
    var url: String
    var target: String?
    var sha: String?
    var ref: String
    var message: String?
    var author: String
    /// As given on creation; Git's own entries are added when it is shown.
    var meta: [(key: String, value: String)] = []
    var source: String
    var createdAt: Int64
    var queueTime: Int64
    var buildTime: Int64
    var build: Build = .ready
    var assignment: Assignment = .normal
    /// What it was built with; nothing changes it any more.
    var variables: [BuiltVariable] = []
    /// Created with `autoAssignCustomDomains: false`.
    var isStagedOnly = false
    /// Has seen production traffic.
    var isPromoted = false
    var assignedAt: Int64?
    var canceledAt: Int64?
    var deletedAt: Int64?
    /// True once it has been decided whether the production domains follow the finished build.
    var isDecided = false

    var isProduction: Bool { target == "production" }
    var builtAt: Int64 { createdAt + queueTime + buildTime }

    func state(at now: Int64) -> String {
        if deletedAt.map({ $0 <= now }) == true { return "DELETED" }
        if canceledAt.map({ $0 <= now }) == true { return "CANCELED" }
        if build == .blocked { return "BLOCKED" }
        if now < createdAt + queueTime / 2 { return "QUEUED" }
        if now < createdAt + queueTime { return "INITIALIZING" }
        switch build {
        case .stuck: return "BUILDING"
        case .canceled where now >= createdAt + queueTime + buildTime / 2: return "CANCELED"
        case .error where now >= builtAt: return "ERROR"
        case .ready where now >= builtAt: return "READY"
        case .ready, .error, .canceled, .blocked: return "BUILDING"
        }
    }

    func isReady(at now: Int64) -> Bool { state(at: now) == "READY" }

    /// All that `meta` shows: what was given, and what Vercel adds for a Git deployment.
    func shownMeta(repository: String) -> [(key: String, value: String)] {
        var all: [(key: String, value: String)] = []
        if let sha {
            let parts = repository.split(separator: "/", maxSplits: 1)
            all += [
                ("githubCommitSha", sha), ("githubCommitRef", ref), ("githubCommitAuthorName", author),
                ("githubOrg", parts.first.map(String.init) ?? ""), ("githubRepo", parts.last.map(String.init) ?? ""),
            ]
            if let message { all.append(("githubCommitMessage", message)) }
        }
        for entry in meta {
            all.removeAll { $0.key == entry.key }
            all.append(entry)
        }
        return all
    }
}
