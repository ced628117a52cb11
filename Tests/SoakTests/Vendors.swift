import HTTPCore
import JSONValues
import Simulators
import TestDoubles

/// The four simulated vendors of a soak, in its time.
struct Vendors: Sendable {
    static let token = "soak-token-4711"
    static let addresses = [
        "vercel": "http://vercel.test", "kubernetes": "http://kubernetes.test", "fly": "http://fly.test", "render": "http://render.test",
    ]

    let vercel: VercelSimulator
    let kubernetes: KubernetesSimulator
    let fly: FlySimulator
    let render: RenderSimulator

    init(_ time: VirtualTime) throws {
        let clock = SoakClock(time: time)
        vercel = try VercelSimulator(world: Self.projects, clock: clock, token: Self.token)
        kubernetes = KubernetesSimulator(world: Self.cluster, clock: clock, token: Self.token)
        fly = try FlySimulator(world: Self.apps, clock: clock, token: Self.token)
        render = try RenderSimulator(world: Self.services, clock: clock, token: Self.token)
    }

    static let names = ["fly", "kubernetes", "render", "vercel"]

    subscript(name: String) -> any Simulator {
        switch name {
        case "vercel": vercel
        case "kubernetes": kubernetes
        case "fly": fly
        default: render
        }
    }

    /// The environment of a process that uses them.
    static func variables(kubeconfig: String) -> [String: String] {
        let fly = addresses["fly"]
        return [
            "VERCEL_API_URL": addresses["vercel"], "VERCEL_TOKEN": token, "KUBECONFIG": kubeconfig, "FLY_FLAPS_BASE_URL": fly,
            "FLY_UIEX_BASE_URL": fly, "FLY_API_BASE_URL": fly, "FLY_REGISTRY_URL": fly, "FLY_API_TOKEN": token,
            "RENDER_API_URL": addresses["render"], "RENDER_API_KEY": token,
        ].compactMapValues(\.self)
    }

    static let kubeconfig = """
        {"clusters": [{"name": "test", "cluster": {"server": "http://kubernetes.test"}}],
         "users": [{"name": "belay", "user": {"token": "\(token)"}}],
         "contexts": [{"name": "test", "context": {"cluster": "test", "user": "belay"}}], "current-context": "test"}
        """

    // MARK: - The worlds

    private static let projects: JSON = [
        "projects": .array(
            ["shop", "blog"].map { name in
                [
                    "name": .string(name), "team": "acme", "repository": .string("acme/\(name)"),
                    "domains": [.string("\(name).example.com")], "production": .string("dpl_\(name)_C"),
                    "seconds": ["queue": 1, "build": 20, "assign": 1, "pending": 1, "job": 5],
                    "deployments": .array(
                        [("A", "a", 300), ("B", "b", 200), ("C", "c", 100), ("S", "e", 50)].map { id, digit, age in
                            ["id": .string("dpl_\(name)_\(id)"), "sha": .string(sha(digit)), "minutesAgo": .integer(age)]
                        }),
                ]
            })
    ]

    private static let cluster: JSON = [
        "rolloutSeconds": 5, "brokenImages": [":broken"],
        "workloads": .array(
            ["backend", "jobs"].map { name in
                [
                    "namespace": "prod", "kind": "Deployment", "name": .string(name), "replicas": 2,
                    "containers": [["name": "main", "env": ["REGION": "fra"]]],
                    "history": .array((1...3).map { ["image": .string("registry.test/\(name):v\($0)")] }),
                ]
            }),
    ]

    private static let apps: JSON = [
        "rateLimits": false,
        "apps": .array(
            ["shop-worker", "mailer"].map { name in
                [
                    "name": .string(name), "org": "acme", "machines": .array((1...3).map { ["id": .string("\(name)-\($0)")] }),
                    "env": ["REGION": "fra"],
                    "releases": [["version": 1, "tag": "one"], ["version": 2, "tag": "two"], ["version": 3, "tag": "three"]],
                ]
            }),
    ]

    private static let services: JSON = [
        "services": [
            [
                "name": "docs", "repo": "https://github.com/acme/docs", "autoDeploy": "commit", "env": ["REGION": "fra"],
                "seconds": ["build": 20, "update": 5],
                "deploys": .array(
                    [("a", 300), ("b", 200), ("c", 100)].map { letter, age in
                        ["id": .string("dep-\(letter)"), "commit": .string(sha(letter)), "minutesAgo": .integer(age)]
                    }),
            ],
            [
                "name": "api", "imagePath": "ghcr.io/acme/api:v3", "autoDeploy": "off", "seconds": ["update": 5],
                "deploys": .array(
                    [(1, 300), (2, 200), (3, 100)].map { number, age in
                        [
                            "id": .string("dep-\(number)"), "tag": .string("v\(number)"),
                            "sha": .string("sha256:" + String(repeating: "\(number)", count: 64)), "minutesAgo": .integer(age),
                        ]
                    }),
            ],
        ]
    ]

    private static func sha(_ letter: String) -> String { String(repeating: letter, count: 40) }
}

/// The vendors live in the same time as the loops.
struct SoakClock: SimulatedClock {
    var time: VirtualTime
    /// 2026-11-23T00:00:00Z and what has passed.
    var milliseconds: Int64 { 1_795_392_000_000 + Int64(time.now.offset / .milliseconds(1)) }
}
