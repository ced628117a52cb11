import HTTPCore
import JSONValues
public import Model
public import ProviderKit

/// Machines of apps on Fly.io: a release comes back as a new version of every machine, with the release's image by its digest.
///
/// What runs is told by the machines alone; the ledger of releases is history that may be missing.
///
/// Cost of an observation: one request for the machines, one more for the secrets where configuration counts. A pin that is not in place
/// costs one for the ledger, one or two for each image that the pin may name, and a history one or two for each row of it.
public struct FlyProvider: Provider {
    private let connection: FlyAPI.Connection
    private let affinity = FlyAffinity()
    private let time: FlyTime

    private init(_ connection: FlyAPI.Connection, _ time: FlyTime) {
        self.connection = connection
        self.time = time
    }

    public static let registration = ProviderRegistration(
        FlyProvider.self, doc: "Machines of an app on Fly.io.", secretVariables: ["FLY_API_TOKEN"], connect: connect)

    /// Reads `FLY_API_TOKEN`, `FLY_FLAPS_BASE_URL`, `FLY_UIEX_BASE_URL`, `FLY_API_BASE_URL` and `FLY_REGISTRY_URL`; sends nothing.
    public static func connect(_ environment: ProviderEnvironment) -> Result<FlyProvider, Problem> {
        guard let credential = environment.variable("FLY_API_TOKEN").flatMap({ FlyCredential($0) }) else {
            return .failure(
                Problem(
                    "TokenMissing", "fly: FLY_API_TOKEN is not set",
                    next: "create a token with 'fly tokens create deploy -a APP' and set FLY_API_TOKEN to it"))
        }
        var bases: [String: String] = [:]
        for (name, usual) in [
            ("FLY_FLAPS_BASE_URL", "https://api.machines.dev"), ("FLY_UIEX_BASE_URL", "https://api.fly.io"),
            ("FLY_API_BASE_URL", "https://api.fly.io"), ("FLY_REGISTRY_URL", "https://registry.fly.io"),
        ] {
            let base = environment.variable(name) ?? usual
            guard base.hasPrefix("https://") || base.hasPrefix("http://") else {
                return .failure(
                    Problem("BadURL", "fly: \(name) is not a URL", next: "set it to a URL such as \(usual), or unset it"))
            }
            bases[name] = base
        }
        func client(_ name: String, _ scheme: String, _ token: Secret) -> APIClient {
            var client = APIClient(
                provider: "fly", base: bases[name] ?? "", token: token, transport: environment.transport, userAgent: environment.userAgent)
            client.scheme = scheme
            return client
        }
        return .success(
            FlyProvider(
                FlyAPI.Connection(
                    machines: client("FLY_FLAPS_BASE_URL", credential.scheme, credential.value),
                    // Bearer even for macaroons, as the vendor's own program has it.
                    ledger: client("FLY_UIEX_BASE_URL", "Bearer", credential.value),
                    graphQL: client("FLY_API_BASE_URL", credential.scheme, credential.value),
                    registry: client("FLY_REGISTRY_URL", "Basic", credential.basic),
                    registryName: "registry.fly.io", credential: credential),
                FlyTime(environment.clock)))
    }

    func api(_ target: FlyTarget) -> FlyAPI { FlyAPI(connection: connection, affinity: affinity, app: target.app) }

    public func observe(_ target: FlyTarget, _ request: ObservationRequest) async -> Observation {
        await observe(target, request, listed: nil)
    }

    func observe(
        _ target: FlyTarget, _ request: ObservationRequest, listed: Result<FlyAPI.Machines, APIError>?
    ) async -> Observation {
        var request = request
        request.configuration = request.configuration?.withRestoredInMachines
        let reader = FlyReader(api: api(target), target: target, request: request, listed: listed)
        do throws(FlyFailure) {
            guard let reading = try await reader.read() else { return Observation(live: .nothing) }
            return observation(reading, request)
        } catch {
            switch error {
            case .api(let error): return .unknown(Self.problem(error, "fly/\(request.component)", target))
            case .problem(let problem): return .unknown(problem)
            }
        }
    }

    @inline(never)  // What it holds is not held while answers are waited for.
    private func observation(_ reading: FlyReading, _ request: ObservationRequest) -> Observation {
        Observation(
            live: reading.live, settlement: reading.settlement, candidates: reading.candidates, operation: reading.operation,
            fate: request.openIntent.map(reading.fate), notes: reading.notes, providerTime: reading.time,
            configuration: reading.configuration, automation: Self.automation, cause: reading.cause, stoppage: reading.stoppage)
    }

    private static let automation = Automation(
        name: "deploy", summary: "people and pipelines deploy with 'fly deploy'; there is no switch", isOn: false, value: "none", off: nil)

    public func apply(_ change: ReleaseChange, to target: FlyTarget, _ request: ApplyRequest) async -> ApplyResult {
        var request = request
        request.configuration = request.configuration?.withRestoredInMachines
        let resource = "fly/\(request.component)"
        guard let way = FlyWay(token: change.route.token), let image = FlyImage(way.image), image.digest != nil,
            let part = FlyPart(change.route.part)
        else {
            return .refused(
                Problem("UnknownRoute", "\(resource): the route \(change.route.means) has nothing to send", next: "plan again"))
        }
        let api = api(target)
        switch part {
        case .set(let key, _):
            guard let value = request.configuration?.values[key] else {
                return .refused(Problem("ValueMissing", "\(resource): there is no value for \(key)", next: "plan again"))
            }
            do throws(APIError) {
                let (secret, version) = try await api.setSecret(key, value.secret)
                affinity.keepSecretsVersion(version, of: target.app)
                let entry = ConfigurationEntry(fingerprint: value.fingerprint, marker: secret?.digest)
                return .accepted(["secret": key], configuration: secret == nil ? [:] : [key: entry])
            } catch {
                return Self.result(of: error, resource, target)
            }
        case .unset(let key):
            do throws(APIError) {
                let (version, time) = try await api.removeSecret(key)
                affinity.keepSecretsVersion(version, of: target.app)
                // Running machines keep it until their next update, and nothing at Fly.io tells so: the record does.
                let entry = time.map { ConfigurationEntry(marker: FlyMark.removal(at: $0)) }
                return .accepted(["secret": key], configuration: entry.map { [key: $0] } ?? [:])
            } catch {
                return Self.result(of: error, resource, target)
            }
        case .update(let machines, let release, let tag, let waits):
            return await FlyRollout(
                api: api, time: time, target: target, request: request, resource: resource, way: way, image: image, release: release,
                tag: tag
            ).update(machines, waits: waits)
        case .start(let machines):
            return await stopping(target, request).start(machines)
        case .open(let machines):
            return await stopping(target, request).open(machines)
        }
    }

    public func stop(_ target: FlyTarget, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        await stopping(target, request).stop()
    }

    private func stopping(_ target: FlyTarget, _ request: ApplyRequest) -> FlyStopping {
        FlyStopping(api: api(target), time: time, target: target, request: request, resource: "fly/\(request.component)")
    }

    // MARK: - Errors

    /// What an error of a single write means.
    static func result(of error: APIError, _ resource: String, _ target: FlyTarget) -> ApplyResult {
        let problem = problem(error, resource, target)
        if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
        return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
    }

    static func problem(_ error: APIError, _ resource: String, _ target: FlyTarget) -> Problem {
        let next: String?
        switch error.code {
        case .unauthorized:
            next = "check that FLY_API_TOKEN is whole and has not expired; 'fly tokens create deploy -a \(target.app)' makes another"
        case .forbidden: next = "check that FLY_API_TOKEN may use app \(target.app)"
        case .notFound where error.body == nil:
            next = "check FLY_FLAPS_BASE_URL: what answers there does not know the path, which says nothing of the app"
        case .notFound, .badRequest: next = "check the app's name, and that FLY_API_TOKEN belongs to its organisation: \(target.app)"
        case .conflict, .preconditionFailed: next = "somebody else works on the machine; the next pass plans anew"
        case .rateLimited: next = error.retryAfter == nil ? "wait; Fly.io allows one request a second for each machine" : nil
        default: next = nil
        }
        return error.problem(of: resource, next: next)
    }
}

extension DesiredConfiguration {
    /// What is brought back was read from the machines' environment, because secrets cannot be read: it goes back there.
    fileprivate var withRestoredInMachines: DesiredConfiguration {
        var desired = self
        for (key, value) in values where value.isRestored && value.isReference { desired.values[key]?.isReference = false }
        return desired
    }
}
