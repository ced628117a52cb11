import HTTPCore
import JSONValues
public import Model
public import ProviderKit

/// Keeps all flags of a system in one item of a Vercel Edge Config, which Vercel renames Global Config.
///
/// Cost: one request to observe (Vercel allows 20 such reads a minute), two to write (free plans allow 250 writes a month); one more where
/// the item is missing. One request writes all changes. The API knows no condition for a write, so that a change that somebody else makes to
/// the same item in the moment between reading and writing it is overwritten; a change made before is not.
public struct EdgeConfigStore: FlagStore {
    private let client: APIClient

    public init(_ client: APIClient) { self.client = client }

    /// Reads `VERCEL_TOKEN` and `VERCEL_API_URL`; sends nothing.
    public static func connect(_ environment: ProviderEnvironment) -> Result<EdgeConfigStore, Problem> {
        guard let token = environment.variable("VERCEL_TOKEN") else {
            return .failure(
                Problem(
                    "TokenMissing", "edgeConfig: VERCEL_TOKEN is not set",
                    next: "create a token at https://vercel.com/account/settings/tokens and set VERCEL_TOKEN to it"))
        }
        let base = environment.variable("VERCEL_API_URL") ?? "https://api.vercel.com"
        guard base.hasPrefix("https://") || base.hasPrefix("http://") else {
            return .failure(
                Problem(
                    "BadURL", "edgeConfig: VERCEL_API_URL is not a URL", next: "set it to a URL such as https://api.vercel.com, or unset it"
                ))
        }
        return .success(
            EdgeConfigStore(
                APIClient(
                    provider: "vercel", base: base, token: Secret(token), transport: environment.transport,
                    userAgent: environment.userAgent)))
    }

    public var promise: FlagPromise {
        FlagPromise(
            isAtomic: true, propagation: .seconds(10),
            killSemantics: "false, or {enabled: false}, in the item that applications read at Vercel's edge")
    }

    public func observe(_ names: [String], in target: EdgeConfigTarget) async -> [String: FlagObservation] {
        do throws(APIError) {
            let item = try await read(target)
            do throws(Problem) {
                let document = try EdgeConfigDocument(item ?? [:], place: target.place)
                return Dictionary(names.map { ($0, document.observation(of: $0)) }) { first, _ in first }
            } catch {
                return FlagObservation.all(names, error)
            }
        } catch {
            return FlagObservation.all(names, problem(error, target))
        }
    }

    public func apply(_ changes: [FlagChange], to target: EdgeConfigTarget, reason: String) async -> ApplyResult {
        do throws(APIError) {
            let item = try await read(target)
            let value: JSON
            do throws(Problem) {
                var document = try EdgeConfigDocument(item ?? [:], place: target.place)
                guard try document.make(changes, in: target.place) else { return .alreadySo }
                value = document.json
            } catch {
                return .refused(error)
            }
            // `create` fails where the item has come to be, `update` where it is gone: neither undoes what somebody else did.
            let body: JSON = [
                "items": [["operation": item == nil ? "create" : "update", "key": .string(target.item), "value": value]]
            ]
            _ = try await client.send(
                .patch, "\(path(target))/items", query: scope(target), body: body, while: "writing item \(target.item)")
            return .accepted(["item": target.identity])
        } catch {
            let problem = problem(error, target)
            if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
            return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
        }
    }

    // MARK: - Requests

    private func path(_ target: EdgeConfigTarget) -> String { "/v1/edge-config/\(target.id.percentEncoded)" }

    private func scope(_ target: EdgeConfigTarget) -> [(name: String, value: String?)] {
        target.team.map { [($0.hasPrefix("team_") ? "teamId" : "slug", $0)] } ?? []
    }

    /// The item's value; nil when the Edge Config has no such item.
    private func read(_ target: EdgeConfigTarget) async throws(APIError) -> JSON? {
        let purpose = "reading item \(target.item)"
        let answer: APIAnswer
        do throws(APIError) {
            answer = try await client.send(.get, "\(path(target))/item/\(target.item.percentEncoded)", query: scope(target), while: purpose)
        } catch {
            guard error.code == .notFound else { throw error }
            // The item or the Edge Config: only the second may stop us.
            _ = try await client.send(.get, path(target), query: scope(target), while: "reading \(target.id)")
            return nil
        }
        if answer.status == 204 { return nil }
        guard let value = answer.body?.object?["value"], answer.body?["key"]?.string == target.item else {
            throw APIError(missing: "value of that item", purpose: purpose)
        }
        return value
    }

    private func problem(_ error: APIError, _ target: EdgeConfigTarget) -> Problem {
        let account = target.team.map { "team \($0)" } ?? "the token's own account"
        let next: String? =
            switch error.code {
            case .unauthorized: "check that VERCEL_TOKEN is valid and has not expired: https://vercel.com/account/settings/tokens"
            case .forbidden: "check that VERCEL_TOKEN has access to \(account)"
            case .notFound: "check the Edge Config's id and its team: \(target.id) was looked for in \(account)"
            case .conflict: "run again: the next pass plans anew"
            case .rateLimited: error.retryAfter == nil ? "wait; Vercel's limits are counted by the minute, some by the month" : nil
            default: nil
            }
        var problem = error.problem(of: target.place, next: next)
        problem.retryAfter = problem.retryAfter.map { min($0, .seconds(3600)) }
        return problem
    }
}
