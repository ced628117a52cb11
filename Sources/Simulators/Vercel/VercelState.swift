/// Everything a simulated Vercel holds.
struct VercelState: Sendable {
    /// A bucket of the published rate limits.
    struct Limit: Sendable {
        var bucket: String
        var count: Int
        var window: Int64
        var saysRetryAfter: Bool
        var used = 0
        var since: Int64 = 0
    }

    var plan: String
    /// What a missing or wrong token is answered with: 403, or 401 as some endpoints do.
    var refusal: Int
    var projects: [VercelProject]
    var edgeConfigs: [VercelEdgeConfig] = []
    var limits: [Limit] = []
    /// The teams' `sensitiveEnvironmentVariablePolicy`.
    var isSensitivePolicyOn = false
    /// Of deployments and variables that the simulator made up an id for.
    var made = 0

    mutating func settle(until now: Int64) {
        for index in projects.indices { projects[index].settle(until: now) }
    }

    /// Letters and digits behind a prefix, as Vercel's are; the same in every run.
    mutating func makeID(_ prefix: String, length: Int) -> String {
        made += 1
        var seed = UInt64(made) &* 0x9E37_79B9_7F4A_7C15
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var id = prefix
        for _ in 0..<length {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            id.append(alphabet[Int((seed >> 33) % 62)])
        }
        return id
    }

    /// Where a deployment of that id answers, unique as its id is.
    static func url(_ id: String, _ project: String, _ team: String?) -> String {
        let suffix = id.dropFirst(id.hasPrefix("dpl_") ? 4 : 0).lowercased().filter { $0.isLetter || $0.isNumber }
        return "\(project)-\(suffix.prefix(12))-\(team ?? "personal").vercel.app"
    }
}
