import JSONValues
import Model

/// A service, as `GET /services/{name}` tells of it.
struct HarbourService: Sendable {
    struct Version: Sendable {
        var id: String
        var release: Release
        var hasServed: Bool
        var isKept: Bool

        var identity: ArtifactIdentity { ArtifactIdentity(.deployment, id) }
    }

    struct Operation: Sendable {
        var release: String
        var state: String
        /// Ours, when Belay asked for it: the id of the intent.
        var note: String
        var by: String
        var requested: String
    }

    struct Variable: Sendable {
        /// Nil when it is a secret: Harbour never tells it again.
        var value: Secret?
        /// Changes with every write, also of the same value.
        var version: Int
    }

    /// Harbour's clock.
    var time: Timestamp
    /// Nil: the service has never had a release.
    var live: String?
    /// The newest first.
    var versions: [Version]
    /// Those of the last day, the newest last.
    var operations: [Operation]
    var autodeploy: Bool
    var variables: [String: Variable]
    /// The keys that changed since what is live was started.
    var pending: [String]

    /// Nil when anything that Belay relies on is missing: a gap in an answer must not look like "nothing runs".
    init?(_ json: JSON?) {
        guard let json, json["name"]?.string != nil, let time = json["time"]?.string.flatMap(Timestamp.init),
            let releases = json["releases"]?.array, let operations = json["operations"]?.array,
            let autodeploy = json["autodeploy"]?.bool, let variables = json["env"]?.array, let pending = json["pending_env"]?.array
        else { return nil }
        self.time = time
        self.autodeploy = autodeploy
        live = json["live"]?.string
        versions = releases.reversed().compactMap(Version.init)
        self.operations = operations.compactMap(Operation.init)
        self.pending = pending.compactMap(\.string)
        self.variables = Dictionary(
            variables.compactMap { variable in
                guard let key = variable["key"]?.string, let version = variable["version"]?.integer else { return nil }
                return (key, Variable(value: variable["value"]?.string.map(Secret.init), version: version))
            }
        ) { $1 }
        guard live == nil || versions.contains(where: { $0.id == live }) else { return nil }
    }
}

extension HarbourService.Version {
    init?(_ json: JSON) {
        guard let id = json["id"]?.string, let version = json["version"]?.string else { return nil }
        let artifact = ArtifactIdentity(.deployment, id)
        var names = [ReleaseName(.deployment, id, denotes: artifact), ReleaseName(.image, version, denotes: artifact)]
        if let commit = json["commit"]?.string { names.append(ReleaseName(.commit, commit, denotes: artifact)) }
        self.init(
            id: id,
            release: Release(label: "\(version) (\(id))", names: names, created: json["created_at"]?.string.flatMap(Timestamp.init)),
            hasServed: json["served"]?.bool ?? false, isKept: json["kept"]?.bool ?? false)
    }
}

extension HarbourService.Operation {
    init?(_ json: JSON) {
        guard let release = json["release"]?.string, let state = json["state"]?.string else { return nil }
        self.init(
            release: release, state: state, note: json["note"]?.string ?? "", by: json["by"]?.string ?? "somebody",
            requested: json["requested_at"]?.string ?? "some time")
    }
}
