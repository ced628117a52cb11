import JSONValues
public import Model
public import ProviderKit

/// Deployments of Vercel projects: instant rollback, promotion, and builds where nothing else is left.
///
/// Cost of an observation: one request for the project. One more each if rolling releases are configured, if the last job failed, and if the
/// fate of a build is asked for. A pin that is not in place costs one to three requests more to find its deployment and one for the
/// environment variables; the first digits of a commit up to six; a whole history one for every hundred deployments. Variables that are
/// managed cost one request, and one more while the build that is to have them is not live.
public struct VercelProvider: Provider {
    private let client: APIClient

    public init(_ client: APIClient) {
        self.client = client
    }

    public static let registration = ProviderRegistration(
        VercelProvider.self, doc: "A project on Vercel.", secretVariables: ["VERCEL_TOKEN"], connect: connect)

    /// Reads `VERCEL_TOKEN` and `VERCEL_API_URL`; sends nothing.
    public static func connect(_ environment: ProviderEnvironment) -> Result<VercelProvider, Problem> {
        guard let token = environment.variable("VERCEL_TOKEN") else {
            return .failure(
                Problem(
                    "TokenMissing", "vercel: VERCEL_TOKEN is not set",
                    next: "create a token at https://vercel.com/account/settings/tokens and set VERCEL_TOKEN to it"))
        }
        let base = environment.variable("VERCEL_API_URL") ?? "https://api.vercel.com"
        guard base.hasPrefix("https://") || base.hasPrefix("http://") else {
            return .failure(
                Problem(
                    "BadURL", "vercel: VERCEL_API_URL is not a URL", next: "set it to a URL such as https://api.vercel.com, or unset it"))
        }
        return .success(
            VercelProvider(
                APIClient(
                    provider: "vercel", base: base, token: Secret(token), transport: environment.transport,
                    userAgent: environment.userAgent)))
    }

    public func observe(_ target: VercelTarget, _ request: ObservationRequest) async -> Observation {
        let resource = "vercel/\(request.component)"
        let reader = VercelReader(api: VercelAPI(client: client, team: target.team), request: request)
        do throws(APIError) {
            return observation(try await reader.read(target), reader, resource)
        } catch {
            return .unknown(problem(error, resource, target))
        }
    }

    @inline(never)  // See `VercelReader`.
    private func observation(_ reading: VercelReading, _ reader: VercelReader, _ resource: String) -> Observation {
        let (request, question) = (reader.request, reader.question)
        return Observation(
            live: reading.live,
            settlement: reading.settlement(of: resource, waitingFor: request.openIntent),
            candidates: reading.candidates(for: question, allowRebuild: request.allowRebuild, resource: resource),
            operation: reading.operation(for: question),
            fate: request.openIntent.map { reading.fate(of: $0, resource) },
            blocker: reading.blocker(for: question, resource: resource),
            notes: reading.notes,
            providerTime: reading.time,
            configuration: reading.observedConfiguration(for: question, allowRebuild: request.allowRebuild, resource: resource),
            automation: reading.automation,
            cause: reading.cause,
            stoppage: .impossible(
                Problem("CannotStop", "\(resource): what is deployed on Vercel is served, and a project has no stop")))
    }

    public func apply(_ change: ReleaseChange, to target: VercelTarget, _ request: ApplyRequest) async -> ApplyResult {
        let resource = "vercel/\(request.component)"
        guard let write = change.route.write else {
            return .refused(
                Problem("UnknownRoute", "\(resource): the route \(change.route.means) is not known to this version", next: "plan again"))
        }
        // Reading could never tell that it was lost: `fate` counts from this time.
        guard request.intent.providerTime != nil || change.route.isIdempotent else {
            return .refused(
                Problem(
                    "ProviderTimeMissing",
                    "\(resource): Vercel's answers do not tell the time, without which a lost write could not be told from a slow one; nothing was sent",
                    next: "check whether a proxy in front of Vercel's API removes the header Date"))
        }
        let value = write.writtenKey.flatMap { request.configuration?.values[$0] }
        if let key = write.writtenKey, value == nil {
            return .refused(
                Problem("ValueMissing", "\(resource): the spec gives no value for \(key) any more; nothing was sent", next: "plan again"))
        }
        let reason = "Belay: \(request.component) to \(change.to.label) at \(request.revision), intent \(request.intent.id)"
        let marks: [(key: String, value: JSON)] = [
            (VercelMark.intent, .string(request.intent.id)), (VercelMark.revision, .string(request.revision.id)),
        ]
        do throws(APIError) {
            let answer = try await VercelAPI(client: client, team: target.team).send(
                write, name: target.project, reason: reason, meta: marks, value: value?.secret)
            return accepted(answer, write, value, resource)
        } catch {
            return result(of: value.map { error.hiding($0.secret) } ?? error, write, resource, target)
        }
    }

    public func setAutomation(_ change: FenceChange, of target: VercelTarget, _ request: ApplyRequest) async -> ApplyResult {
        let resource = "vercel/\(request.component)"
        guard change.name == VercelReading.switchName, let isOn = Bool(change.to) else {
            return .refused(
                Problem("NoSwitch", "\(resource): \(change.name) cannot be set to \(change.to)", next: "plan again"))
        }
        do throws(APIError) {
            try await VercelAPI(client: client, team: target.team).setAutoAssignment(target.project, isOn, by: VercelMark.actor)
            return .accepted([change.name: change.to])
        } catch {
            let problem = problem(error, resource, target)
            if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
            return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
        }
    }
}
