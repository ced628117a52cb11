import HTTPCore
import JSONValues
public import Model
public import ProviderKit

/// Services on Harbour, a vendor that does not exist: the example of `docs/adding-a-provider.md`.
///
/// Cost of an observation: one request.
public struct HarbourProvider: Provider {
    private let client: APIClient

    public static let registration = ProviderRegistration(
        HarbourProvider.self, doc: "A service on Harbour.", secretVariables: ["HARBOUR_TOKEN"], connect: connect)

    /// Reads `HARBOUR_TOKEN` and `HARBOUR_API_URL`; sends nothing.
    public static func connect(_ environment: ProviderEnvironment) -> Result<HarbourProvider, Problem> {
        guard let token = environment.variable("HARBOUR_TOKEN") else {
            return .failure(
                Problem(
                    "TokenMissing", "harbour: HARBOUR_TOKEN is not set", next: "make a token in Harbour's settings and set HARBOUR_TOKEN"))
        }
        let client = APIClient(
            provider: "harbour", base: environment.variable("HARBOUR_API_URL") ?? "https://api.harbour.example", token: Secret(token),
            transport: environment.transport, userAgent: environment.userAgent)
        return .success(HarbourProvider(client: client))
    }

    public func observe(_ target: HarbourTarget, _ request: ObservationRequest) async -> Observation {
        let resource = "harbour/\(request.component)"
        let purpose = "reading service \(target.service)"
        do throws(APIError) {
            let answer = try await client.send(.get, path(target), while: purpose)
            guard let service = HarbourService(answer.body) else { throw APIError(missing: "service", purpose: purpose) }
            return HarbourReading(service: service, request: request, resource: resource).observation
        } catch {
            return .unknown(error.problem(of: resource))
        }
    }

    public func apply(_ change: ReleaseChange, to target: HarbourTarget, _ request: ApplyRequest) async -> ApplyResult {
        let resource = "harbour/\(request.component)"
        switch change.route.write {
        case .release(let id):
            let body: JSON = ["release": .string(id), "note": .string(request.intent.id)]
            return await result(of: resource) { () throws(APIError) in
                let answer = try await client.send(.post, path(target, "release"), body: body, while: "releasing \(id)")
                return answer.status == 202 ? .accepted(["operation": answer.body?["operation"]?["id"]?.string ?? ""]) : .alreadySo
            }
        case .set(let key, _):
            guard let value = request.configuration?.values[key] else {
                return .refused(Problem("NoValue", "\(resource): no value for \(key) is at hand", next: "plan again"))
            }
            // What the spec only refers to goes where Harbour keeps secrets.
            let body: JSON = ["value": .string(value.secret.reveal()), "secret": .bool(value.isReference)]
            return await result(of: resource) { () throws(APIError) in
                let purpose = "setting \(key)"
                let answer = try await client.send(.put, path(target, "env", key), body: body, while: purpose)
                guard let version = answer.body?["version"]?.integer else {
                    throw APIError(missing: "version", purpose: purpose, isWrite: true)
                }
                let entry = ConfigurationEntry(fingerprint: value.fingerprint, marker: String(version))
                return .accepted(["key": key], configuration: [key: entry])
            }
        case .remove(let key):
            return await result(of: resource) { () throws(APIError) in
                _ = try await client.send(.delete, path(target, "env", key), while: "removing \(key)")
                return .accepted(["key": key])
            }
        case nil:
            return .refused(
                Problem("UnknownRoute", "\(resource): the route \(change.route.means) is not known to this version", next: "plan again"))
        }
    }

    public func setAutomation(_ change: FenceChange, of target: HarbourTarget, _ request: ApplyRequest) async -> ApplyResult {
        await result(of: "harbour/\(request.component)") { () throws(APIError) in
            _ = try await client.send(
                .patch, path(target), body: ["autodeploy": .bool(change.to == "on")], while: "switching \(change.name) \(change.to)")
            return .accepted([:])
        }
    }

    private func path(_ target: HarbourTarget, _ more: String...) -> String {
        (["/services", target.service.percentEncoded] + more.map(\.percentEncoded)).joined(separator: "/")
    }

    /// What an error says of a write: whether it certainly had no effect.
    private func result(of resource: String, _ send: () async throws(APIError) -> ApplyResult) async -> ApplyResult {
        do throws(APIError) {
            return try await send()
        } catch {
            let problem = error.problem(of: resource)
            if error.mayHaveTakenEffect { return .unknown(problem) }
            return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
        }
    }
}
