import HTTPCore
import JSONValues

extension Write {
    static let kubernetes: [Write] = [
        kubernetes(
            "undo", to: "release: v1", .patch, "/deployments/backend", effects: ["roll out backend"],
            holds: ["backend runs registry.test/api:v1"]),
        kubernetes(
            "apply of an image", to: "release: {image: 'registry.test/api:v9'}", .patch, "/deployments/backend",
            effects: ["roll out backend"], holds: ["backend runs registry.test/api:v9"]),
        kubernetes(
            "ConfigMap", to: "release: v1, env: {MODE: fast}", .post, "/configmaps", effects: ["make ConfigMap", "roll out backend"],
            holds: ["backend runs registry.test/api:v1", "backend has MODE=ConfigMap \(Stage.mark("fast"))"]),
        kubernetes(
            "Secret", to: "release: v3, env: {DSN: {fromEnv: DSN}}", .post, "/secrets", effects: ["make Secret", "roll out backend"],
            holds: ["backend runs registry.test/api:v3", "backend has DSN=Secret \(Stage.mark("over the hills"))"]),
        kubernetes(
            "rollout with an environment", to: "release: v1, env: {MODE: fast, DSN: {fromEnv: DSN}}", .patch, "/deployments/backend",
            effects: ["make ConfigMap", "make Secret", "roll out backend"],
            holds: ["backend runs registry.test/api:v1", "backend has MODE=ConfigMap \(Stage.mark("fast"))"]),
        kubernetes(
            "removal of a key", to: "release: v3, envPolicy: exact, env: {REGION: fra}", .patch, "/deployments/backend",
            effects: ["roll out backend"], holds: ["backend runs registry.test/api:v3", "backend has REGION=\(Stage.mark("fra"))"]),
    ]

    private static func kubernetes(
        _ name: String, to second: String, _ method: HTTPMethod, _ path: String, effects: [String], holds: [String]
    ) -> Write {
        func component(_ pin: String) -> String { "api: {kubernetes: {namespace: prod, deployment: backend, container: api}, \(pin)}" }
        return Write(
            name: name, world: ["kubernetes": cluster], first: Spec(1, component("release: v3")), second: Spec(2, component(second)),
            variables: ["DSN": "over the hills"], method: method, path: path, effects: effects, holds: holds + ["backend is settled"])
    }

    /// Three releases of one Deployment; the last one runs.
    static let cluster: JSON = [
        "rolloutSeconds": 5,
        "workloads": [
            [
                "namespace": "prod", "kind": "Deployment", "name": "backend", "replicas": 2,
                "containers": [["name": "api", "env": ["REGION": "fra", "OTHER": "x"]]],
                "history": [
                    ["image": "registry.test/api:v1"], ["image": "registry.test/api:v2"], ["image": "registry.test/api:v3"],
                ],
            ]
        ],
    ]
}
