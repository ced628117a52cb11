import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import TestDoubles
import Testing

/// Moved by hand, and by whoever sleeps in virtual time.
struct StageClock: SimulatedClock {
    let manual: ManualClock
    let virtual: VirtualTime

    var milliseconds: Int64 {
        let (seconds, attoseconds) = virtual.now.offset.components
        return manual.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

/// A simulated Fly.io with one app, and a component that pins a release of it.
struct FlyStage {
    static let token = "fo1_0123456789abcdefABCDEF"
    static let url = "https://fly.test"
    static let first = "148e21a0000001"
    static let second = "148e21a0000002"
    static let third = "148e21a0000003"

    var world: ContractWorld
    let fly: FlySimulator
    let time: VirtualTime
    var configuration: DesiredConfiguration?
    var known: [String: ConfigurationEntry] = [:]

    /// v85, v86 and v87 have run, v87 is live on every machine.
    static func make(
        _ pin: Pin = .name("v86"), machines: [String] = [first], _ strategy: FlyTarget.Strategy = .rolling, maxUnavailable: String = "33%",
        group: String? = nil, token: String = token, change: (inout JSON) -> Void = { _ in }, api: (inout JSON) -> Void = { _ in }
    ) throws -> FlyStage {
        var app: JSON = [
            "name": "worker", "org": "acme", "env": ["LOG": "info"], "checks": ["http"], "secrets": ["DATABASE_URL": "postgres://hidden"],
            "machines": .array(machines.map { ["id": .string($0)] }),
            "releases": [
                ["version": 85, "minutesAgo": 300], ["version": 86, "minutesAgo": 200, "user": "bob@example.com"],
                ["version": 87, "minutesAgo": 30],
            ],
        ]
        change(&app)
        var state: JSON = ["rateLimits": false, "apps": [app]]
        api(&state)
        let (manual, time) = (ManualClock(), VirtualTime())
        let fly = try FlySimulator(world: state, clock: StageClock(manual: manual, virtual: time), token: token)
        let transport = SimulatedTransport([url: fly])
        var variables = ["FLY_API_TOKEN": token]
        for name in ["FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_API_BASE_URL", "FLY_REGISTRY_URL"] { variables[name] = url }
        let environment = ProviderEnvironment(
            variables: variables, transport: transport, now: { Timestamp(millisecondsSinceEpoch: 0) }, clock: time)
        func component(_ app: String) -> Component {
            Component(
                name: "worker",
                target: FlyTarget(app: app, processGroup: group, strategy: strategy, maxUnavailable: maxUnavailable), release: pin)
        }
        var world = ContractWorld(
            provider: AnyProvider(try FlyProvider.connect(environment).get()), component: component("worker"),
            missing: component("wroker"), simulator: fly, transport: transport, clock: manual, token: token, settling: .seconds(60),
            visibility: .seconds(90), budget: 4
        ) {
            await fly.world["apps"]?[0]?["writes"]?.elements.count { $0["operation"]?.string == "update" && $0["by"]?.string == "api" } ?? 0
        }
        // Leases surround an update.
        world.isWrite = { request in
            !request.method.isSafe && !request.path.contains("/lease") && !request.path.contains("graphql")
        }
        world.aim = { fault in
            guard fault.method == .post else { return [] }
            var (update, secret) = (fault, fault)
            (update.path, update.skip, secret.path) = ("/machines/", 1, "/secrets")
            return [update, secret]
        }
        return FlyStage(world: world, fly: fly, time: time)
    }

    // MARK: - What a pass does

    func observe(
        _ pin: Pin? = nil, resolution: Resolution? = nil, intent: Intent? = nil, depth: ObservationRequest.Depth = .pin
    ) async -> Observation {
        var component = world.component
        if let pin { component.release = pin }
        return await world.provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent, depth: depth,
                configuration: configuration, keeper: .test, knownConfiguration: known))
    }

    func change(_ observation: Observation, _ resolution: Resolution? = nil) throws -> (change: ReleaseChange, intent: Intent) {
        let resolution = try resolution ?? world.resolution(in: observation)
        let ways = observation.candidates.filter { $0.release.matches(resolution) }.flatMap(\.routes)
        let declared = observation.live.declared
        let isThere = declared?.matches(resolution) == true
        let route = try #require(isThere ? observation.configuration?.route ?? ways.first : ways.first)
        let to = try #require(observation.candidates.first { $0.release.matches(resolution) }?.release ?? declared)
        let change = ReleaseChange(from: declared, to: to, resolution: resolution, route: route)
        let intent = Intent(
            id: "intent-\(world.transport.received.count)", resource: world.component.id, route: route, resolution: resolution,
            providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: 0))
        return (change, intent)
    }

    /// In virtual time: whoever sleeps, moves it.
    func apply(_ change: ReleaseChange, _ intent: Intent) async -> ApplyResult {
        let (world, configuration) = (world, configuration)
        return await time.run {
            await world.provider.apply(
                change, to: world.component,
                ApplyRequest(
                    component: world.component.name, intent: intent, revision: Revision(.commit, "c1a0"), configuration: configuration,
                    keeper: .test))
        }
    }

    /// Observes and sends the next part.
    @discardableResult
    func go(_ pin: Pin? = nil, _ resolution: Resolution? = nil) async throws -> (result: ApplyResult, change: ReleaseChange, intent: Intent)
    {
        var stage = self
        if let pin { stage.world.component.release = pin }
        let (change, intent) = try stage.change(await stage.observe(resolution: resolution), resolution)
        return (await stage.apply(change, intent), change, intent)
    }

    /// Goes from part to part until the pin is reached; what each part sent.
    @discardableResult
    mutating func walk(_ pin: Pin? = nil) async throws -> [String] {
        if let pin { world.component.release = pin }
        var sent: [String] = []
        var resolution: Resolution?
        for _ in 0..<20 {
            let observation = await observe(resolution: resolution)
            let meaning = try resolution ?? world.resolution(in: observation)
            resolution = meaning
            if observation.live.declared?.matches(meaning) == true, observation.configuration?.differences.isEmpty ?? true { return sent }
            let (change, intent) = try change(observation, meaning)
            #expect(change.route.refusal == nil)
            let result = await apply(change, intent)
            guard case .accepted(_, let configuration) = result else {
                Issue.record("\(change.route) gave \(result)")
                return sent
            }
            known.merge(configuration) { $1 }
            sent.append(change.route.part ?? "-")
            let fate = await observe(resolution: meaning, intent: intent).fate
            if fate != .tookEffect { pass(60) }
            let late = await observe(resolution: meaning, intent: intent).fate
            #expect(late == .tookEffect)
        }
        Issue.record("the way never ends: \(sent)")
        return sent
    }

    func pass(_ seconds: Double) { world.clock.advance(by: .milliseconds(Int(seconds * 1000))) }

    func inject(_ fault: Fault) { world.transport.faults.add(fault) }

    // MARK: - What the simulator holds

    var app: JSON { get async throws { try #require(await fly.world["apps"]?[0]) } }

    func machine(_ id: String = first) async throws -> JSON {
        try #require(try await app["machines"]?.elements.first { $0["id"]?.string == id })
    }

    /// The tags of what machines run, by the version in their metadata.
    var releases: [String?] { get async throws { try await app["machines"]?.elements.map { $0["release"]?.string } ?? [] } }

    /// Updates over the API: the machines, in their order.
    var updates: [String] {
        get async throws {
            try await app["writes"]?.elements.filter { $0["operation"]?.string == "update" && $0["by"]?.string == "api" }
                .compactMap { $0["machine"]?.string } ?? []
        }
    }

    /// True if the first machine has the value, as a variable or as a secret that has reached it.
    func holds(_ key: String, _ text: String) async -> Bool {
        guard let app = try? await app, let machine = app["machines"]?[0] else { return false }
        if machine["env"]?[key]?.string == text { return true }
        let secret = app["secrets"]?.elements.first { $0["name"]?.string == key }?["digest"]?.string
        // Another simulator tells which digest the value has.
        let other = try? FlySimulator(
            world: ["apps": [["name": "other", "secrets": .object(JSONObject([(key, .string(text))]))]]], clock: ManualClock(), token: "")
        let digest = await other?.world["apps"]?[0]?["secrets"]?[0]?["digest"]?.string
        return digest != nil && secret == digest && machine["secrets"]?[key]?.string == digest
    }

    func digest(_ tag: String) async throws -> String {
        try #require(try await app["images"]?.elements.first { $0["tag"]?.string == tag }?["digest"]?.string)
    }

    /// A request of somebody else's.
    @discardableResult
    func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil, nonce: String? = nil) async throws -> (status: Int, body: JSON) {
        var request = HTTPRequest(method, Self.url + path, headers: ["Authorization": "Bearer \(Self.token)"])
        if let body { request.body = body.bytes }
        if let nonce { request.headers["fly-machine-lease-nonce"] = nonce }
        guard case .whole(let response) = await fly.answer(request) else { return (0, .null) }
        return (response.status, (try? JSON(parsing: response.body)) ?? .null)
    }

    static func path(_ machine: String = first) -> String { "/v1/apps/worker/machines/\(machine)" }

    /// Somebody's update of a machine, by hand.
    func change(_ machine: String = first, _ edit: (inout JSON) -> Void) async throws {
        var config = try #require(try await send(.get, Self.path(machine)).body["config"])
        edit(&config)
        #expect(try await send(.post, Self.path(machine), ["config": config]).status == 200)
    }
}

extension Observation {
    func candidate(_ name: String) -> Candidate? { candidates.first { $0.release.names.contains { $0.value == name } } }
    func route(to name: String) -> Route? { candidate(name)?.routes.first }

    var failure: Problem? {
        guard case .failed(let problem) = settlement else { return nil }
        return problem
    }

    var progress: String? {
        guard case .progressing(let text) = settlement else { return nil }
        return text
    }
}

extension ConfigurationKeeper {
    static let test = ConfigurationKeeper { ConfigurationEntry(fingerprint: fingerprint($0, $1.reveal())) }

    /// Not keyed, and not for anything but tests.
    static func fingerprint(_ key: String, _ value: String) -> String {
        var hash: UInt64 = 5381
        for byte in "\(key)=\(value)".utf8 { hash = hash &* 33 &+ UInt64(byte) }
        return String(hash, radix: 16)
    }
}

extension DesiredConfiguration {
    static func make(_ literals: [String: String] = [:], secrets: [String: String] = [:], isExact: Bool = false, restores: Bool = false)
        -> DesiredConfiguration
    {
        var desired = DesiredConfiguration(isExact: isExact, restores: restores)
        for (values, isReference) in [(literals, false), (secrets, true)] {
            for (key, text) in values {
                desired.values[key] = Value(
                    Secret(text), isReference: isReference, fingerprint: ConfigurationKeeper.fingerprint(key, text))
            }
        }
        return desired
    }
}
