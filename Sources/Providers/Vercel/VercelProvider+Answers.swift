import JSONValues
import Model
import ProviderKit

extension VercelProvider {
    /// What a 2xx answer to a write means.
    func accepted(_ answer: APIAnswer, _ write: VercelWrite, _ value: DesiredConfiguration.Value?, _ resource: String) -> ApplyResult {
        func unexpected(_ what: String) -> ApplyResult {
            .unknown(
                Problem(
                    "MalformedAnswer", "\(resource): \(answer.status) \(what)", next: "the next look at the project tells what became of it"
                ))
        }
        switch (write, answer.status) {
        case (.rollback(_, let deployment), 201), (.promote(_, let deployment), 201):
            return .accepted(["deployment": deployment, "operation": write.jobType ?? ""])
        case (.promote(_, let deployment), 202):
            return .accepted(["deployment": deployment, "operation": "promote", "queued": "behind the active rolling release"])
        case (.rollback, _), (.promote, _):
            return unexpected("is no answer that Vercel gives to a \(write.jobType ?? "write")")
        case (.rebuild, _), (.build, _), (.renew, _):
            guard let id = answer.body?["id"]?.string else { return unexpected("without the id of a deployment") }
            return .accepted(["deployment": id, "operation": "create"])
        case (.put(_, let key, _), _): return put(answer, key, value, resource) ?? unexpected("without the variable that was set")
        case (.detach(_, let id, _, _), _): return .accepted(["variable": id, "operation": "detach"])
        case (.remove(_, let id, _), _): return .accepted(["variable": id, "operation": "remove"])
        }
    }

    /// A 201 may hold what was not done. Nil when it says neither.
    private func put(_ answer: APIAnswer, _ key: String, _ value: DesiredConfiguration.Value?, _ resource: String) -> ApplyResult? {
        if let failure = answer.body?["failed"]?.elements.first {
            let error = failure["error"] ?? failure
            let words = [error["code"]?.string, error["message"]?.string].compactMap(\.self).joined(separator: ": ")
            let secret = value?.secret.reveal() ?? ""
            return .refused(
                Problem(
                    "Rejected",
                    "\(resource): \(key) was not set: \(secret.isEmpty ? words : words.replacing(secret, with: "(secret)"))",
                    next: "look at the project's environment variables in the dashboard"))
        }
        let created = answer.body?["created"]
        guard let variable = (created?.array ?? [created ?? .null]).lazy.compactMap({ VercelVariable($0) }).first(where: { $0.key == key })
        else { return nil }
        // Also of what can be read back now: the team's policy may have made it one that cannot, whatever was asked for.
        let entry = variable.marker.flatMap { marker in value.map { ConfigurationEntry(fingerprint: $0.fingerprint, marker: marker) } }
        return .accepted(["variable": variable.id, "operation": "put"], configuration: entry.map { [key: $0] } ?? [:])
    }

    func result(of error: APIError, _ write: VercelWrite, _ resource: String, _ target: VercelTarget) -> ApplyResult {
        var problem = problem(error, resource, target)
        if write.key != nil, error.code == .notFound || error.code == .paymentRequired { problem.next = nil }
        if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
        switch error.code {
        case .rateLimited: return .throttled(problem)
        case .notFound:
            guard case .remove = write else { return .refused(problem) }
            return .alreadySo
        // Promoting what is current is a conflict, rolling back to it is unprocessable; both statuses have other causes too.
        case .conflict, .unprocessable:
            guard write.deployment != nil, let words = error.vendorMessage?.lowercased(), words.contains("already"),
                words.contains("current production")
            else { return .refused(problem) }
            return .alreadySo
        default: return .refused(problem)
        }
    }

    func problem(_ error: APIError, _ resource: String, _ target: VercelTarget) -> Problem {
        let account = target.team.map { "team \($0)" } ?? "the token's own account"
        let next: String?
        switch error.code {
        case .unauthorized: next = "check that VERCEL_TOKEN is valid and has not expired: https://vercel.com/account/settings/tokens"
        case .forbidden:
            next = "check that VERCEL_TOKEN has access to \(account) and may deploy project \(target.project) to production"
        case .notFound:
            next = "check the project's name and its team: \(target.project) was looked for in \(account)"
        case .paymentRequired:
            next = "pin the release that served before this one, or use a plan that allows more: https://vercel.com/docs/instant-rollback"
        case .rateLimited: next = error.retryAfter == nil ? "wait; Vercel's limits are counted by the minute, some by the day" : nil
        default: next = nil
        }
        var problem = error.problem(of: resource, next: next)
        // Limits may be lifted in days: told in the vendor's words, asked about every hour.
        problem.retryAfter = problem.retryAfter.map { min($0, .seconds(3600)) }
        return problem
    }
}
