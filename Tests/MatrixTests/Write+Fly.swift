import HTTPCore
import JSONValues

extension Write {
    static let fly: [Write] = [
        fly("lease of the first machine", to: "release: v1", .post, "/machines/m1/lease", effects: updates, holds: back),
        fly("lease of the second machine", to: "release: v1", .post, "/machines/m2/lease", effects: updates, holds: back),
        // Of the requests of that kind, the first one is for the lease.
        fly("update of the first machine", to: "release: v1", .post, "/machines/m1", skip: 1, effects: updates, holds: back),
        fly("update of the last machine", to: "release: v1", .post, "/machines/m3", skip: 1, effects: updates, holds: back),
        fly("release of a lease", to: "release: v1", .delete, "/machines/m2/lease", effects: updates, holds: back),
        fly(
            "immediate update", to: "release: v1", strategy: "immediate", .post, "/machines/m2", skip: 1, effects: updates, holds: back),
        fly(
            "secret", to: "release: v3, env: {DSN: {fromEnv: DSN}}", .post, "/secrets", effects: ["set-secret DSN"] + updates,
            holds: ["m1 runs three, started", "m3 has secret DSN"]),
        fly(
            "secret and a release", to: "release: v1, env: {DSN: {fromEnv: DSN}, MODE: fast}", .post, "/secrets",
            effects: ["set-secret DSN"] + updates, holds: back + ["m2 has secret DSN", "m2 has MODE=fast"]),
        fly(
            "removal of a secret", to: "release: v3, envPolicy: exact, env: {REGION: fra}", .delete, "/secrets/OLD",
            effects: ["unset-secret OLD"] + updates, holds: ["m1 runs three, started", "m1 has REGION=fra"]),
    ]

    private static let updates = ["update m1", "update m2", "update m3"]
    private static let back = ["m1 runs one, started", "m2 runs one, started", "m3 runs one, started"]

    private static func fly(
        _ name: String, to second: String, strategy: String = "rolling", _ method: HTTPMethod, _ path: String, skip: Int = 0,
        effects: [String], holds: [String]
    ) -> Write {
        func component(_ pin: String) -> String { "worker: {fly: {app: shop-worker, strategy: \(strategy)}, \(pin)}" }
        return Write(
            name: name, world: ["fly": machines], first: Spec(1, component("release: v3")), second: Spec(2, component(second)),
            variables: ["DSN": "over the hills"], method: method, path: path, skip: skip, effects: effects, holds: holds)
    }

    /// Three machines, and three releases of which the last one runs.
    static let machines: JSON = [
        "rateLimits": false,
        "apps": [
            [
                "name": "shop-worker", "org": "acme", "machines": [["id": "m1"], ["id": "m2"], ["id": "m3"]], "env": ["REGION": "fra"],
                "secrets": ["OLD": "gold"],
                "releases": [["version": 1, "tag": "one"], ["version": 2, "tag": "two"], ["version": 3, "tag": "three"]],
            ]
        ],
    ]
}
