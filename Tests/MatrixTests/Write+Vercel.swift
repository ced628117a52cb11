import HTTPCore
import JSONValues

extension Write {
    static let vercel: [Write] = [
        vercel(
            "rollback", to: "release: dpl_A", .post, "/rollback/dpl_A", effects: ["autoAssign off", "rollback dpl_A"],
            holds: ["production dpl_A"]),
        vercel(
            "promote", to: "release: dpl_S", .post, "/promote/dpl_S", effects: ["autoAssign off", "promote dpl_S", "autoAssign off"],
            holds: ["production dpl_S"]),
        vercel(
            "rebuild of a preview", to: "release: dpl_P, allowRebuild: true", .post, "/v13/deployments",
            effects: ["autoAssign off", "create build of ddddddd", "promote build of ddddddd", "autoAssign off"],
            holds: ["production build of ddddddd"]),
        vercel(
            "build of a commit", to: "release: {commit: \(unbuilt)}, allowRebuild: true", .post, "/v13/deployments",
            effects: ["autoAssign off", "create build of fffffff", "promote build of fffffff", "autoAssign off"],
            holds: ["production build of fffffff"]),
        vercel(
            "promotion of a build", to: "release: dpl_P, allowRebuild: true", .post, "/promote/",
            effects: ["autoAssign off", "create build of ddddddd", "promote build of ddddddd", "autoAssign off"],
            holds: ["production build of ddddddd"]),
        vercel(
            "build with a new variable", to: "release: dpl_C, allowRebuild: true, env: {MODE: fast}", .post, "/v13/deployments",
            effects: ["autoAssign off", "env.create MODE", "create build of ccccccc", "promote build of ccccccc", "autoAssign off"],
            holds: ["production build of ccccccc", "built with MODE=\(Stage.mark("fast"))"]),
        vercel(
            "new variable", to: "release: dpl_C, allowRebuild: true, env: {MODE: fast}", .post, "/env",
            effects: ["autoAssign off", "env.create MODE", "create build of ccccccc", "promote build of ccccccc", "autoAssign off"],
            holds: ["production build of ccccccc", "built with MODE=\(Stage.mark("fast"))"]),
        vercel(
            "changed variable", to: "release: dpl_C, allowRebuild: true, env: {PLAIN: new}", .post, "/env",
            effects: ["autoAssign off", "env.edit PLAIN", "create build of ccccccc", "promote build of ccccccc", "autoAssign off"],
            holds: ["built with PLAIN=\(Stage.mark("new"))"]),
        vercel(
            "secret variable", to: "release: dpl_C, allowRebuild: true, env: {DSN: {fromEnv: DSN}}", .post, "/env",
            effects: ["autoAssign off", "env.create DSN", "create build of ccccccc", "promote build of ccccccc", "autoAssign off"],
            holds: ["built with DSN=\(Stage.mark("over the hills"))"]),
        vercel(
            "removed variable", to: "release: dpl_C, envPolicy: exact, env: {PLAIN: old}", .delete, "/env/",
            effects: ["autoAssign off", "env.delete OTHER"], holds: ["production dpl_C"]),
        vercel(
            "variable taken from production", to: "release: dpl_C, envPolicy: exact, env: {PLAIN: old, OTHER: x}", .patch, "/env/",
            effects: ["autoAssign off", "env.edit SHARED"], holds: ["production dpl_C"],
            more: ["key": "SHARED", "value": "s", "type": "plain"]),
        vercel(
            "automatic assignment", to: "release: dpl_B", .patch, "/v9/projects/shop", effects: ["autoAssign off", "rollback dpl_B"],
            holds: ["production dpl_B"]),
        vercel(
            "fence after a promotion", to: "release: dpl_S", .patch, "/v9/projects/shop", skip: 1,
            effects: ["autoAssign off", "promote dpl_S", "autoAssign off"], holds: ["production dpl_S"]),
    ]

    private static let unbuilt = "fffffff000000000000000000000000000000006"

    private static func vercel(
        _ name: String, to second: String, _ method: HTTPMethod, _ path: String, skip: Int = 0, effects: [String], holds: [String],
        more variable: JSON? = nil
    ) -> Write {
        func component(_ pin: String) -> String { "web: {vercel: {project: shop, team: acme}, \(pin)}" }
        return Write(
            name: name, world: ["vercel": world(variable)], first: Spec(1, component("release: dpl_C")), second: Spec(2, component(second)),
            variables: ["DSN": "over the hills"], method: method, path: path, skip: skip, effects: effects,
            holds: holds + ["auto-assignment off"])
    }

    /// C is live, A and B have served, S is staged, P is a preview.
    static func world(_ variable: JSON? = nil) -> JSON {
        func sha(_ letter: Character, _ last: Int) -> JSON {
            .string(String(repeating: letter, count: 7) + String(repeating: "0", count: 32) + String(last))
        }
        let variables: [JSON] = [
            ["key": "PLAIN", "value": "old", "type": "plain", "target": ["production"]],
            ["key": "OTHER", "value": "x", "type": "plain", "target": ["production"]],
        ]
        return [
            "projects": [
                [
                    "name": "shop", "team": "acme", "repository": "acme/shop", "domains": ["shop.example.com", "www.shop.example.com"],
                    "production": "dpl_C", "env": .array(variables + [variable].compactMap(\.self)),
                    "seconds": ["queue": 1, "build": 20, "assign": 1, "pending": 1, "job": 5],
                    "deployments": [
                        ["id": "dpl_A", "sha": sha("a", 1), "minutesAgo": 300], ["id": "dpl_B", "sha": sha("b", 2), "minutesAgo": 200],
                        ["id": "dpl_P", "sha": sha("d", 4), "minutesAgo": 150, "target": "preview"],
                        ["id": "dpl_C", "sha": sha("c", 3), "minutesAgo": 100], ["id": "dpl_S", "sha": sha("e", 5), "minutesAgo": 50],
                    ],
                ]
            ]
        ]
    }
}
