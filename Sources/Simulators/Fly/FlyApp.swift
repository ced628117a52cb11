import JSONValues

/// One simulated app with its machines, releases, secrets and images.
struct FlyApp: Sendable {
    struct Timing: Sendable {
        /// How long an update takes until the new version exists.
        var replace: Int64 = 5000
        var start: Int64 = 3000
        var stop: Int64 = 2000
        /// From a start to passing checks.
        var healthy: Int64 = 2000
        /// How long a destroyed machine is still shown.
        var forget: Int64 = 60_000
        /// How long a changed secret takes to reach machines that do not ask for its version.
        var secrets: Int64 = 0
    }

    enum Access: String, Sendable, CaseIterable {
        case own
        /// Another organisation's: the token may not see it.
        case foreign
        /// Deleted; its name is still known.
        case destroyed
    }

    /// A call that took effect: the simulator's books.
    struct Write: Sendable {
        var at: Int64
        var operation: String
        var machine: String?
        var image: String?
        var digest: String?
        var release: String?
        /// What else it was about: a secret's name, a metadata key.
        var subject: String?
        var byHuman: Bool
    }

    var name: String
    var organization: String
    var number: Int
    var access = Access.own
    var region: String
    var machines: [FlyMachine] = []
    /// The oldest first.
    var releases: [FlyRelease] = []
    /// What the registry holds in the app's repository.
    var images: [FlyImage] = []
    var secrets = FlySecrets()
    var deployments: [FlyDeployment] = []
    var timing = Timing()
    var updateUncordons = false
    /// True: there is no room for the next new machine.
    var refusesCreation = false
    var writes: [Write] = []
    var identifiers: FlyIdentifiers
    var createdAt: Int64

    var repository: String { "\(FlyImageReference.registry)/\(name)" }
    var nextVersion: Int { (releases.map(\.version).max() ?? 0) + 1 }

    func index(of machine: String) -> Int? { machines.firstIndex { $0.id == machine } }

    mutating func note(
        _ operation: String, _ at: Int64, machine: Int? = nil, release: String? = nil, subject: String? = nil, byHuman: Bool = false
    ) {
        var write = Write(at: at, operation: operation, release: release, subject: subject, byHuman: byHuman)
        if let machine, machines.indices.contains(machine) {
            write.machine = machines[machine].id
            if operation == "update" || operation == "create" {
                write.image = machines[machine].config["image"]?.string
                write.digest = machines[machine].version.image.digest
            }
        }
        writes.append(write)
    }

    /// The image that a reference to the app's repository names; nil when the registry has none of it.
    func image(_ reference: FlyImageReference) -> FlyImage? {
        if let digest = reference.digest { return images.last { $0.digest == digest || $0.index == digest } }
        return images.last { $0.tag == reference.tag ?? "latest" }
    }

    mutating func addRelease(_ image: String, user: String, _ status: FlyRelease.Status, at now: Int64) -> FlyRelease {
        let release = FlyRelease(
            id: identifiers.release(), version: nextVersion, status: status, image: image, user: user, description: "Deploy image",
            createdAt: now)
        releases.append(release)
        return release
    }

    mutating func updateRelease(_ id: String, _ change: (inout FlyRelease) -> Void) {
        guard let index = releases.firstIndex(where: { $0.id == id }) else { return }
        change(&releases[index])
    }
}

/// Somebody's `fly deploy`, under way: machine by machine, each under a lease of 13 seconds that is renewed while it is worked on.
struct FlyDeployment: Sendable {
    static let ttl: Int64 = 13_000
    /// Between two looks at a machine.
    static let pause: Int64 = 1000
    static let patience: Int64 = 300_000

    var release: String
    var version: Int
    var image: FlyRunningImage
    /// As the machines are told it.
    var name: String
    var user: String
    /// Still to do.
    var machines: [String]
    var current: String?
    var currentSince: Int64 = 0
    var at: Int64
}
