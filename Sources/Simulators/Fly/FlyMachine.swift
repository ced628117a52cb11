import JSONValues

/// One simulated machine.
struct FlyMachine: Sendable {
    /// What an update made of it.
    struct Version: Sendable {
        /// The instance's id.
        var id: String
        /// As it was posted, whole.
        var config: JSON
        var image: FlyRunningImage
    }

    struct Lease: Sendable {
        var nonce: String
        var owner: String
        var description: String
        var expiresAt: Int64
    }

    struct Event: Sendable {
        var id: String
        var type: String
        var status: String
        var source: String
        var at: Int64
        var request: JSON?
    }

    enum Host: String, Sendable, CaseIterable { case ok, unknown, unreachable }

    /// Something that happens to it at a time.
    enum Step: Sendable {
        case become(String, event: String, source: String)
        /// Back to the version before: its place among the versions, and the state.
        case revert(Int, String)
        /// The program ends by itself for the n-th time.
        case exit(Int)
    }

    struct Planned: Sendable {
        var at: Int64
        var step: Step
    }

    /// What becomes of an update.
    enum Outcome: Sendable {
        case normal
        /// The image cannot be pulled.
        case pullFails
        case crashes
        /// Stays `replacing` for ever.
        case wedged
        /// Started, it is stopped by the proxy after this many milliseconds.
        case autostops(Int64)
        /// Started, its checks fail.
        case unhealthy
        /// Refused: the host is full.
        case noCapacity
    }

    static let restarts = 10

    var id: String
    var name: String
    var region: String
    var state: String
    /// The oldest first.
    var versions: [Version]
    /// The one in effect, by its place.
    var current = 0
    var isCordoned = false
    var host = Host.ok
    var lease: Lease?
    var events: [Event] = []
    /// What it was given at its last boot, by name.
    var secrets: [String: String] = [:]
    var steps: [Planned] = []
    var nextUpdates: [Outcome] = []
    /// Since its last start.
    var startedAt: Int64?
    var isUnhealthy = false
    var createdAt: Int64
    var updatedAt: Int64
    var destroyedAt: Int64?
    /// False: a destroyed machine that stays in listings.
    var isForgotten = true
    /// The last update, as it was asked for, to know a repetition.
    var lastUpdate: (nonce: String, body: JSON)?

    var version: Version { versions[min(current, versions.count - 1)] }
    var config: JSON { version.config }
    var isSettled: Bool { ["created", "started", "stopped", "suspended", "failed", "destroyed"].contains(state) }
    var isDestroyed: Bool { state == "destroyed" || state == "destroying" }
    var group: String? { config["metadata"]?["fly_process_group"]?.string }

    func lease(at now: Int64) -> Lease? { lease.flatMap { $0.expiresAt > now ? $0 : nil } }

    /// True if a service lets the proxy stop it.
    var stopsByItself: Bool {
        (config["services"]?.elements ?? []).contains { service in
            switch service["autostop"] {
            case .bool(let isOn): isOn
            case .string(let word): word != "off"
            default: false
            }
        }
    }
}
