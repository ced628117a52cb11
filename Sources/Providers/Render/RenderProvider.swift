import JSONValues
public import Model
public import ProviderKit

/// Services on Render: rollback to a kept build, a durable pin of an image, and builds of a commit where nothing else is left.
///
/// What runs is the deploy whose status is `live`, never the newest one and never the settings.
///
/// **Configuration.** Keys are set one at a time, then the release's own write, or one deploy, makes them run. Two of Render's
/// properties decide how:
///
/// - A rollback runs with its target's environment, and the settings keep today's. A named value and a kept build stand together only
///   if the target ran with that value. Render shows no environment of a deploy; Belay knows it from what it has recorded: since when
///   each key has had which fingerprint, by Render's clock (see ``ValueHistory``). Where the target is known to have run with every
///   named value, the way is the keys and one rollback. Otherwise the rollback is refused, and with `allowRebuild` replaced by the keys
///   and one build of the same commit: one deployment in either case. A rollback followed by a deploy without a build would be two, and
///   the second one the wrong one:
/// - A deploy without a build (`deploy_only`) runs *the last successful build*, which after a rollback is not the one that runs. It is
///   used only where the last successful build surely is the declared release's; otherwise its commit is built anew, if that is allowed.
///
/// Whether what runs was started with a key is judged by the same record. A named key that is set as desired without a record of since
/// when is set once more, and then known. At first contact, what runs is taken to have what is set.
///
/// **Builds that are gone.** No operation tells whether a build is kept. A rollback that is refused for anything but credentials or
/// limits, while no other deploy runs, means that it is not; with `allowRebuild` the same call then builds the target's commit, and the
/// plan says beforehand that it may come to this. Without it, the refusal is believed for half an hour, and then tried again.
///
/// Cost of an observation: two requests, of a service that goes by its name too. One or more for the environment where it is managed or the
/// pin is not in place; one for the events of what somebody else deployed; one for a pinned deploy that is older than the newest hundred;
/// and before a change, one for Render's own maintenance.
public struct RenderProvider: Provider {
    let api: RenderAPI
    let memory: RenderMemory

    /// - Parameter now: Belay's own clock, for how long Render asked to wait.
    public init(_ client: APIClient, now: @escaping @Sendable () -> Timestamp) {
        api = RenderAPI(client: client)
        memory = RenderMemory(now: now)
    }

    public static let registration = ProviderRegistration(
        RenderProvider.self, doc: "A service on Render.", secretVariables: ["RENDER_API_KEY"], connect: connect)

    /// Reads `RENDER_API_KEY` and `RENDER_API_URL`; sends nothing.
    public static func connect(_ environment: ProviderEnvironment) -> Result<RenderProvider, Problem> {
        guard let key = environment.variable("RENDER_API_KEY") else {
            return .failure(
                Problem(
                    "TokenMissing", "render: RENDER_API_KEY is not set",
                    next: "create an API key at https://dashboard.render.com/settings#api-keys and set RENDER_API_KEY to it"))
        }
        var base = environment.variable("RENDER_API_URL") ?? "https://api.render.com"
        guard base.hasPrefix("https://") || base.hasPrefix("http://") else {
            return .failure(
                Problem(
                    "BadURL", "render: RENDER_API_URL is not a URL", next: "set it to a URL such as https://api.render.com, or unset it"))
        }
        while base.hasSuffix("/") { base.removeLast() }
        // The vendor's own tools want the version in it.
        if base.hasSuffix("/v1") { base.removeLast(3) }
        return .success(
            RenderProvider(
                APIClient(
                    provider: "render", base: base, token: Secret(key), transport: environment.transport, userAgent: environment.userAgent),
                now: environment.now))
    }

    public func observe(_ target: RenderTarget, _ request: ObservationRequest) async -> Observation {
        let resource = "render/\(request.component)"
        let memory = memory
        let reader = RenderReader(api: api, request: request, resource: resource) { memory.gone(of: $0) }
        do throws(RenderFailure) {
            return observation(try await reader.read(target), request)
        } catch {
            return .unknown(problem(error, resource, target))
        }
    }

    private func observation(_ reading: RenderReading, _ request: ObservationRequest) -> Observation {
        Observation(
            live: reading.observedLive,
            settlement: reading.settlement,
            candidates: reading.candidates,
            operation: reading.operation,
            fate: request.openIntent.map(reading.fate),
            blocker: reading.suspension,
            notes: reading.notes,
            providerTime: reading.time,
            configuration: reading.observedConfiguration,
            automation: reading.service.automation,
            cause: reading.cause,
            stoppage: reading.stoppage)
    }

    public func apply(_ change: ReleaseChange, to target: RenderTarget, _ request: ApplyRequest) async -> ApplyResult {
        let resource = "render/\(request.component)"
        let part = change.route.part.map { RenderPart($0) }
        guard let way = RenderWay(token: change.route.token), part != .some(nil) else {
            return .refused(
                Problem("UnknownRoute", "\(resource): the route \(change.route.means) is not known to this version", next: "plan again"))
        }
        let call = RenderCall(api: api, memory: memory, target: target, request: request, resource: resource)
        if let part = part.flatMap(\.self) { return await call.send(part, of: way) }
        // Reading could never tell that it was lost: `fate` counts from this time.
        guard request.intent.providerTime != nil else {
            return .refused(
                Problem(
                    "ProviderTimeMissing",
                    "\(resource): Render's answers do not tell the time, without which a lost write could not be told from a slow one; nothing was sent",
                    next: "check whether a proxy in front of Render's API removes the header Date"))
        }
        return await call.send(way)
    }

    public func setAutomation(_ change: FenceChange, of target: RenderTarget, _ request: ApplyRequest) async -> ApplyResult {
        let resource = "render/\(request.component)"
        guard change.name == RenderService.automationName else {
            return .refused(
                Problem("NoSwitch", "\(resource): Render has no switch called \(change.name)", next: "plan again"))
        }
        let service: String
        do throws(Problem) { service = try await id(of: target, request) } catch { return .refused(error) }
        return await RenderCall(api: api, memory: memory, target: target, request: request, resource: resource)
            .setAutoDeploy(service, to: change.to)
    }

    public func stop(_ target: RenderTarget, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        let service: String
        do throws(Problem) { service = try await id(of: target, request) } catch { return .refused(error) }
        return await RenderCall(
            api: api, memory: memory, target: target, request: request, resource: "render/\(request.component)"
        ).suspend(service)
    }

    /// The id of a service that may go by its name.
    private func id(of target: RenderTarget, _ request: ApplyRequest) async throws(Problem) -> String {
        if target.isID { return target.service }
        let resource = "render/\(request.component)"
        let reader = RenderReader(
            api: api, request: ObservationRequest(component: request.component, pin: .name("")), resource: resource, gone: { _ in [] })
        do throws(RenderFailure) { return try await reader.find(target, api).service.id } catch {
            throw problem(error, resource, target)
        }
    }

    private func problem(_ failure: RenderFailure, _ resource: String, _ target: RenderTarget) -> Problem {
        switch failure {
        case .api(let error): error.renderProblem(of: resource, target)
        case .problem(let problem): problem
        }
    }
}
