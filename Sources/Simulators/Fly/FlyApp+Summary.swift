import JSONValues

extension FlyApp {
    /// As `/_sandbox/world` shows it: no secret's value, no nonce.
    func summary(at now: Int64) -> JSON {
        [
            "name": .string(name), "org": .string(organization), "machines": .array(machines.map { $0.summary(at: now) }),
            "releases": .array(releases.map(\.json)),
            "images": .array(
                images.map { image in
                    .members([
                        ("tag", image.tag.map(JSON.string)), ("digest", .string(image.digest)), ("index", image.index.map(JSON.string)),
                        ("pruned", image.isPruned ? true : JSON?.none),
                    ])
                }),
            "secrets": .array(secrets.all.map { ["name": .string($0.name), "digest": .string($0.digest)] }),
            "secretsVersion": .integer(secrets.version), "writes": .array(writes.map(\.json)),
        ]
    }
}

extension FlyMachine {
    fileprivate func summary(at now: Int64) -> JSON {
        .members([
            ("id", .string(id)), ("name", .string(name)), ("group", group.map(JSON.string)), ("region", .string(region)),
            ("state", .string(state)), ("instance_id", .string(version.id)), ("image", config["image"]),
            ("tag", version.image.reference.tag.map(JSON.string)), ("digest", .string(version.image.digest)),
            ("release", config["metadata"]?["fly_release_version"]), ("env", config["env"] ?? [:]),
            ("secrets", .object(JSONObject(secrets.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))),
            ("cordoned", .bool(isCordoned)), ("host", .string(host.rawValue)), ("lease", .optional(lease(at: now)?.owner)),
        ])
    }
}

extension FlyApp.Write {
    var json: JSON {
        .members([
            ("at", .string(SimulatedTime.rfc3339(at))), ("operation", .string(operation)), ("machine", machine.map(JSON.string)),
            ("image", image.map(JSON.string)), ("digest", digest.map(JSON.string)), ("release", release.map(JSON.string)),
            ("subject", subject.map(JSON.string)), ("by", byHuman ? "person" : "api"),
        ])
    }
}
