import FoundationEssentials
import HTTPCore
import JSONValues

/// Everything a simulated Fly.io holds.
struct FlyState: Sendable {
    /// What is left of an action's share on one machine or app.
    private struct Bucket: Sendable {
        var tokens: Double
        var at: Int64
    }

    var apps: [FlyApp] = []
    var limitsRates = true
    /// The seconds of `Retry-After` behind a 429; nil: the field is not sent.
    var retryAfter: Int?
    /// What a stale `current_version` is answered with.
    var staleStatus = 412
    private var buckets: [String: Bucket] = [:]
    private var identifiers = FlyIdentifiers(seed: "requests")

    mutating func settle(until now: Int64) {
        for index in apps.indices { apps[index].settle(until: now) }
    }

    mutating func requestID(at now: Int64) -> String { "\(identifiers.ulid(at: now))-fra" }

    // MARK: - One request

    mutating func respond(_ request: HTTPRequest, token: String, now: Int64) throws(FlyFailure) -> FlyAnswer {
        let target = RequestTarget(url: request.url)
        guard let (route, parameters) = FlyRoute.find(request.method, target.path) else { throw .noRoute }
        // Routes of the Machines API are chosen with the parameters that they cannot do without: before anybody is asked who they are.
        if target.path == ["v1", "apps"], target["org_slug"] == nil { throw .noRoute }
        let call = FlyCall(parameters: parameters, query: target, headers: request.headers, body: request.body, now: now)
        guard route.door.accepts(request.headers["Authorization"] ?? "", token: token) else { throw route.door.refusal }
        if let action = route.action { try count(action, parameters["machine"] ?? parameters["app"] ?? parameters["org"] ?? "", now) }
        if route.isLeased { try checkLease(call) }
        var answer = try route.handle(&self, call)
        if route.door == .machines, let app = parameters["app"], request.headers["Cookie"]?.contains("fly_flaps_affinity=") != true {
            let place = FlyIdentifiers.digest(app).dropFirst(7).prefix(16)
            answer.headers["Set-Cookie"] = "fly_flaps_affinity=\(place); Path=/v1/apps/\(app); HttpOnly"
        }
        return answer
    }

    /// One a second and three at once; for a single machine's reading five and ten.
    private mutating func count(_ action: String, _ identifier: String, _ now: Int64) throws(FlyFailure) {
        guard limitsRates else { return }
        let (rate, burst) = action == "get" ? (5.0, 10.0) : (1.0, 3.0)
        let key = "\(action) \(identifier)"
        var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
        bucket.tokens = min(burst, bucket.tokens + Double(max(0, now - bucket.at)) / 1000 * rate)
        bucket.at = now
        let isFree = bucket.tokens >= 1
        if isFree { bucket.tokens -= 1 }
        buckets[key] = bucket
        guard !isFree else { return }
        var failure = FlyFailure(429, "rate limit exceeded")
        if let retryAfter { failure.answer.headers["Retry-After"] = String(retryAfter) }
        throw failure
    }

    // MARK: - What a path names

    func app(_ call: FlyCall) throws(FlyFailure) -> Int {
        guard let index = apps.firstIndex(where: { $0.name == call["app"] }) else { throw FlyFailure(404, "app not found") }
        switch apps[index].access {
        case .own: return index
        case .foreign: throw FlyFailure(403, "unauthorized: token may not access app \(call["app"])")
        case .destroyed: throw FlyFailure(400, "could not find app")
        }
    }

    func place(_ call: FlyCall) throws(FlyFailure) -> (app: Int, machine: Int) {
        let app = try app(call)
        guard let machine = apps[app].index(of: call["machine"]) else { throw FlyFailure(404, "not_found: machine not found") }
        return (app, machine)
    }

    /// The image that a machine's config names.
    func resolve(_ config: JSON) throws(FlyFailure) -> FlyRunningImage {
        guard let name = config["image"]?.string, !name.isEmpty else {
            throw FlyFailure(400, "invalid_argument: invalid config.image: value is required")
        }
        guard let reference = FlyImageReference(name) else {
            throw FlyFailure(400, "invalid_argument: invalid config.image: invalid image reference")
        }
        guard reference.registry == FlyImageReference.registry else {
            return FlyRunningImage(reference: reference, digest: reference.digest ?? FlyIdentifiers.digest(name), fate: .runs)
        }
        let image = apps.first { $0.name == reference.repository }?.image(reference)
        if let image, !image.isPruned { return FlyRunningImage(reference: reference, digest: image.digest, fate: image.fate) }
        // A digest needs no resolving: only the host finds out that there is nothing to pull.
        if let digest = reference.digest { return FlyRunningImage(reference: reference, digest: digest, fate: .unpullable) }
        throw FlyFailure(400, "invalid_argument: failed to get manifest for \(name): MANIFEST_UNKNOWN: manifest unknown")
    }
}

extension FlyRoute.Door {
    private static let macaroons = ["fm1r_", "fm1a_", "fm2_"]

    func accepts(_ authorization: String, token: String) -> Bool {
        let parts = authorization.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, !token.isEmpty else { return false }
        let isMacaroon = Self.macaroons.contains { token.hasPrefix($0) }
        let isKnown = parts[1] == token || parts[1].split(separator: ",").contains { $0 == token }
        switch (self, parts[0]) {
        case (.machines, "FlyV1"), (.graphQL, "FlyV1"): return isKnown
        case (.machines, "Bearer"), (.graphQL, "Bearer"): return isKnown && !isMacaroon
        case (.releases, "Bearer"), (.registry, "Bearer"): return isKnown
        case (.registry, "Basic"):
            guard let data = Data(base64Encoded: parts[1]) else { return false }
            let password = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1).last ?? ""
            return password == token || password == "FlyV1 \(token)"
        default: return false
        }
    }

    var refusal: FlyFailure {
        var answer: FlyAnswer
        switch self {
        case .machines:
            answer = FlyAnswer(401, .json(["error": "Authenticate: token validation error"]))
            answer.headers["WWW-Authenticate"] = "Basic realm=\"api.machines.dev\""
        case .releases: answer = FlyAnswer(401, .text("Unauthorized"))
        case .graphQL:
            let error: JSON = ["message": "You must be authenticated to view this.", "extensions": ["code": "UNAUTHORIZED"]]
            answer = FlyAnswer(["data": .null, "errors": [error]])
        case .registry:
            let error: JSON = ["code": "UNAUTHORIZED", "message": "authentication required", "detail": .null]
            answer = FlyAnswer(401, .json(["errors": [error]]))
            answer.headers["WWW-Authenticate"] = "Basic realm=\"\(FlyImageReference.registry)\""
        }
        return FlyFailure(answer)
    }
}
