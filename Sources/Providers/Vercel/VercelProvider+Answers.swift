import JSONValues
import Model
import ProviderKit

extension VercelProvider {
    /// What a 2xx answer to a write means.
    func accepted(_ answer: APIAnswer, _ write: VercelWrite, _ resource: String) -> ApplyResult {
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
        case (.rebuild, _), (.build, _):
            guard let id = answer.body?["id"]?.string else { return unexpected("without the id of a deployment") }
            return .accepted(["deployment": id, "operation": "create"])
        }
    }

    func result(of error: APIError, _ write: VercelWrite, _ resource: String, _ target: VercelTarget) -> ApplyResult {
        let problem = problem(error, resource, target)
        if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
        switch error.code {
        case .rateLimited: return .throttled(problem)
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
