import Model

/// One component of the specs of a soak: where it runs, and what it may be pinned to.
struct Part: Sendable {
    struct Pin: Sendable {
        /// In YAML's flow style.
        var text: String
        /// What must be so at the vendor when it is in place.
        var facts: [String]
        /// False for one that never comes up.
        var isGood = true
    }

    var system: String
    var name: String
    /// The vendor's name and what it calls the target.
    var target: (vendor: String, object: String)
    /// In YAML's flow style.
    var place: String
    var pins: [Pin]

    var id: String { "\(system)/\(name)" }

    func text(_ pin: Int) -> String { "\(name): {\(place), \(pins[pin].text)}" }

    /// How everything is at the beginning.
    static let firstPins = Dictionary(uniqueKeysWithValues: all.indices.map { ($0, 0) })

    static let all: [Part] = [
        vercel("shop", "web", "shop", after: "api"), kubernetes("shop", "api", "backend"),
        vercel("blog", "site", "blog"), fly("blog", "mailer", "mailer"),
        renderBuilt("docs", "docs", "docs"), renderImage("docs", "image", "api"),
        fly("work", "worker", "shop-worker", after: "jobs"), kubernetes("work", "jobs", "jobs"),
    ]

    private static func vercel(_ system: String, _ name: String, _ project: String, after: String? = nil) -> Part {
        Part(
            system: system, name: name, target: ("vercel", project),
            place: "vercel: {project: \(project), team: acme}" + (after.map { ", after: [\($0)]" } ?? ""),
            pins: ["C", "A", "B", "S"].map { letter in
                let id = "dpl_\(project)_\(letter)"
                return Pin(
                    text: "release: \(id)",
                    facts: [
                        "vercel \(project): production \(id)", "vercel \(project): \(project).example.com \(id)",
                        "vercel \(project): auto-assignment off",
                    ])
            })
    }

    private static func kubernetes(_ system: String, _ name: String, _ deployment: String) -> Part {
        func pin(_ tag: String, _ mode: String, isGood: Bool = true) -> Pin {
            let image = "registry.test/\(deployment):\(tag)"
            return Pin(
                text: "release: {image: '\(image)'}, env: {MODE: \(mode)}",
                facts: [
                    "kubernetes \(deployment): \(image)", "kubernetes \(deployment): MODE=\(mode)", "kubernetes \(deployment): settled",
                ], isGood: isGood)
        }
        return Part(
            system: system, name: name, target: ("kubernetes", deployment),
            place: "kubernetes: {namespace: prod, deployment: \(deployment), container: main}",
            pins: [pin("v3", "slow"), pin("v1", "slow"), pin("v2", "fast"), pin("v9", "fast"), pin("broken", "slow", isGood: false)])
    }

    private static func fly(_ system: String, _ name: String, _ app: String, after: String? = nil) -> Part {
        func pin(_ version: Int, _ tag: String, _ mode: String? = nil) -> Pin {
            let machines = (1...3).map { "fly \(app): \(app)-\($0) runs \(tag), started" }
            let settings = mode.map { mode in (1...3).map { "fly \(app): \(app)-\($0) has MODE=\(mode)" } } ?? []
            return Pin(text: "release: v\(version)" + (mode.map { ", env: {MODE: \($0)}" } ?? ""), facts: machines + settings)
        }
        return Part(
            system: system, name: name, target: ("fly", app),
            place: "fly: {app: \(app)}" + (after.map { ", after: [\($0)]" } ?? ""),
            pins: [pin(3, "three"), pin(1, "one"), pin(2, "two", "fast"), pin(3, "three", "slow")])
    }

    private static func renderBuilt(_ system: String, _ name: String, _ service: String) -> Part {
        Part(
            system: system, name: name, target: ("render", service), place: "render: {service: srv-\(service)}",
            pins: ["c", "a", "b"].map { letter in
                Pin(
                    text: "release: dep-\(letter)",
                    facts: [
                        "render \(service): runs \(String(repeating: letter, count: 40))", "render \(service): deploys by itself off",
                    ])
            })
    }

    private static func renderImage(_ system: String, _ name: String, _ service: String) -> Part {
        Part(
            system: system, name: name, target: ("render", service), place: "render: {service: srv-\(service)}",
            pins: [3, 1, 2].map { number in
                Pin(text: "release: v\(number)", facts: ["render \(service): runs sha256:\(String(repeating: "\(number)", count: 64))"])
            })
    }
}
