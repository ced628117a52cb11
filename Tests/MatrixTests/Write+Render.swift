import HTTPCore
import JSONValues

extension Write {
    static let render: [Write] = [
        render(
            "rollback", to: "release: dep-a", .post, "/rollback", effects: ["update autoDeploy", "rollback dep-a"],
            holds: ["docs runs aaaaaaa"]),
        render(
            "build of a commit", to: "release: {commit: \(unbuilt)}, allowRebuild: true", .post, "/deploys",
            effects: ["update autoDeploy", "deploy"], holds: ["docs runs fffffff"]),
        render(
            "new variable", to: "release: dep-c, env: {MODE: fast}", .put, "/env-vars/MODE",
            effects: ["update autoDeploy", "env.put MODE", "deploy"],
            holds: ["docs runs ccccccc", "docs runs with MODE=\(Stage.mark("fast"))"]),
        render(
            "secret variable", to: "release: dep-c, env: {DSN: {fromEnv: DSN}}", .put, "/env-vars/DSN",
            effects: ["update autoDeploy", "env.put DSN", "deploy"],
            holds: ["docs runs ccccccc", "docs runs with DSN=\(Stage.mark("over the hills"))"]),
        render(
            "deploy without a build", to: "release: dep-c, env: {MODE: fast}", .post, "/deploys",
            effects: ["update autoDeploy", "env.put MODE", "deploy"], holds: ["docs runs with MODE=\(Stage.mark("fast"))"]),
        render(
            "removed variable", to: "release: dep-c, envPolicy: exact, env: {REGION: fra}", .delete, "/env-vars/OTHER",
            effects: ["update autoDeploy", "env.delete OTHER", "deploy"], holds: ["docs runs ccccccc"]),
        render(
            "auto-deploy", to: "release: dep-b", .patch, "/services/srv-docs", effects: ["update autoDeploy", "rollback dep-b"],
            holds: ["docs runs bbbbbbb"]),
        render(
            "saved image", to: "release: v1", of: "srv-api", .patch, "/services/srv-api", effects: ["update image", "deploy"],
            holds: ["api runs sha256:\(String(repeating: "1", count: 64))"]),
        render(
            "deploy of an image", to: "release: v1", of: "srv-api", .post, "/deploys", effects: ["update image", "deploy"],
            holds: ["api runs sha256:\(String(repeating: "1", count: 64))"]),
    ]

    private static let unbuilt = sha("f")

    private static func sha(_ letter: Character) -> String { String(repeating: letter, count: 40) }

    private static func render(
        _ name: String, to second: String, of service: String = "srv-docs", _ method: HTTPMethod, _ path: String, effects: [String],
        holds: [String]
    ) -> Write {
        func component(_ pin: String) -> String { "docs: {render: {service: \(service)}, \(pin)}" }
        let live = service == "srv-docs" ? "release: dep-c" : "release: v3"
        return Write(
            name: name, world: ["render": services], first: Spec(1, component(live)), second: Spec(2, component(second)),
            variables: ["DSN": "over the hills"], method: method, path: path, effects: effects,
            holds: holds + (service == "srv-docs" ? ["docs deploys by itself: off"] : []))
    }

    /// A service that is built from commits and deploys every push, and one of images; three releases each, of which the last one runs.
    static let services: JSON = [
        "services": [
            [
                "name": "docs", "repo": "https://github.com/acme/docs", "autoDeploy": "commit", "env": ["REGION": "fra", "OTHER": "x"],
                "seconds": ["build": 20, "update": 5], "commits": [["id": .string(sha("f"))]],
                "deploys": [
                    ["id": "dep-a", "commit": .string(sha("a")), "minutesAgo": 300],
                    ["id": "dep-b", "commit": .string(sha("b")), "minutesAgo": 200],
                    ["id": "dep-c", "commit": .string(sha("c")), "minutesAgo": 100],
                ],
            ],
            [
                "name": "api", "imagePath": "ghcr.io/acme/api:v3", "autoDeploy": "off", "seconds": ["update": 5],
                "deploys": [
                    ["id": "dep-1", "tag": "v1", "sha": .string("sha256:" + String(repeating: "1", count: 64)), "minutesAgo": 300],
                    ["id": "dep-2", "tag": "v2", "sha": .string("sha256:" + String(repeating: "2", count: 64)), "minutesAgo": 200],
                    ["id": "dep-3", "tag": "v3", "sha": .string("sha256:" + String(repeating: "3", count: 64)), "minutesAgo": 100],
                ],
            ],
        ]
    ]
}
