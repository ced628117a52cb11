import HTTPCore
import JSONValues
import Model
import ProviderKit

/// The operations that Belay uses, with their paths in one place.
struct RenderAPI: Sendable {
    private enum Path {
        static let services = "/v1/services"
        static func service(_ id: String) -> String { "/v1/services/\(id.percentEncoded)" }
        static func deploys(_ id: String) -> String { "\(service(id))/deploys" }
        static func deploy(_ id: String, _ deploy: String) -> String { "\(deploys(id))/\(deploy.percentEncoded)" }
        static func rollback(_ id: String) -> String { "\(service(id))/rollback" }
        static func suspend(_ id: String) -> String { "\(service(id))/suspend" }
        static func resume(_ id: String) -> String { "\(service(id))/resume" }
        static func instances(_ id: String) -> String { "\(service(id))/instances" }
        static func events(_ id: String) -> String { "\(service(id))/events" }
        static func variables(_ id: String) -> String { "\(service(id))/env-vars" }
        static func variable(_ id: String, _ key: String) -> String { "\(variables(id))/\(key.percentEncoded)" }
        static let groups = "/v1/env-groups"
        static let maintenance = "/v1/maintenance"
        static func group(_ id: String) -> String { "\(groups)/\(id.percentEncoded)" }
    }

    typealias Query = [(name: String, value: String?)]

    var client: APIClient

    // MARK: - Reading

    /// The service, and the provider's clock.
    func service(_ id: String) async throws(APIError) -> (service: RenderService, time: Timestamp?) {
        let purpose = "reading service \(id)"
        let answer = try await client.send(.get, Path.service(id), while: purpose)
        guard let service = RenderService(answer.body) else { throw APIError(missing: "service id and name", purpose: purpose) }
        return (service, answer.time)
    }

    /// The services of that name, in all workspaces that the key may see.
    func services(named name: String) async throws(APIError) -> (services: [RenderService], time: Timestamp?) {
        let purpose = "looking for service \(name)"
        let answer = try await client.send(
            .get, Path.services, query: [("name", name), ("includePreviews", "false"), ("limit", "20")], while: purpose)
        guard let items = answer.body?.array else { throw APIError(missing: "list of services", purpose: purpose) }
        return (items.compactMap { RenderService($0["service"]) }.filter { $0.name == name }, answer.time)
    }

    /// One page, the newest first as far as Render keeps to it, and the cursor of the next one; nil at the end.
    func deploys(of service: String, _ filter: Query, limit: Int, after cursor: String? = nil) async throws(APIError)
        -> (page: [RenderDeploy], next: String?)
    {
        let purpose = "listing deploys"
        let (items, next) = try await page(Path.deploys(service), filter, limit: limit, after: cursor, while: purpose)
        return (items.compactMap { RenderDeploy($0["deploy"]) }, next)
    }

    func deploy(_ id: String, of service: String) async throws(APIError) -> RenderDeploy {
        let purpose = "reading deploy \(id)"
        let answer = try await client.send(.get, Path.deploy(service, id), while: purpose)
        guard let deploy = RenderDeploy(answer.body) else { throw APIError(missing: "deploy id", purpose: purpose) }
        return deploy
    }

    /// Who and what began the deploys of that time, by the deploys' ids.
    func beginnings(of service: String, from start: Timestamp, to end: Timestamp) async throws(APIError) -> [String: RenderBeginning] {
        // Without a startTime, Render tells of the last hour only.
        let query: Query = [("type", "deploy_started"), ("startTime", start.description), ("endTime", end.description)]
        let (items, _) = try await page(Path.events(service), query, limit: 100, after: nil, while: "reading events")
        var found: [String: RenderBeginning] = [:]
        for item in items {
            guard let details = item["event"]?["details"], let id = details["deployId"]?.string else { continue }
            found[id] = RenderBeginning(
                target: details["trigger"]?["rollbackTargetDeployId"]?.string, user: details["trigger"]?["user"]?["email"]?.string)
        }
        return found
    }

    /// The service's own variables. The values are Render's answer in clear: they leave this module as fingerprints only.
    func variables(of service: String) async throws(APIError) -> [String: Secret] {
        let purpose = "reading environment variables"
        // A cursor ends with its row: whoever writes one meanwhile makes the list begin anew.
        for attempt in 1...3 {
            var variables: [String: Secret] = [:]
            var cursor: String?
            var seen: Set<String> = []
            do throws(APIError) {
                while true {
                    let (items, next) = try await page(Path.variables(service), [], limit: 100, after: cursor, while: purpose)
                    for item in items {
                        guard let key = item["envVar"]?["key"]?.string else { continue }
                        variables[key] = Secret(item["envVar"]?["value"]?.string ?? "")
                    }
                    guard let next else { return variables }
                    guard seen.insert(next).inserted, seen.count <= 100 else {
                        throw APIError(missing: "cursor that advances", purpose: purpose)
                    }
                    cursor = next
                }
            } catch {
                guard cursor != nil, error.status == 400, attempt < 3 else { throw error }
            }
        }
        throw APIError(missing: "end: it changed while it was read", purpose: purpose)
    }

    /// The keys that env groups give to a service, with the groups' names.
    func groupKeys(of service: String) async throws(APIError) -> [String: [String]] {
        let purpose = "reading env groups"
        let answer = try await client.send(.get, Path.groups, query: [("limit", "100")], while: purpose)
        var keys: [String: [String]] = [:]
        for group in answer.body?.elements ?? [] {
            guard let id = group["id"]?.string, let name = group["name"]?.string,
                group["serviceLinks"]?.elements.contains(where: { $0["id"]?.string == service }) == true
            else { continue }
            let whole = try await client.send(.get, Path.group(id), while: purpose)
            for variable in whole.body?["envVars"]?.elements ?? [] {
                if let key = variable["key"]?.string { keys[key, default: []].append(name) }
            }
        }
        return keys
    }

    /// What Render itself has to do to the service's machine, and has not done yet; in words: `in progress since 2026-11-23T14:00:00Z`.
    func maintenance(of service: String) async throws(APIError) -> [String] {
        let answer = try await client.send(.get, Path.maintenance, query: [("resourceId", service)], while: "reading maintenance")
        return (answer.body?.elements ?? []).compactMap { run in
            guard run["resourceId"]?.string == service else { return nil }
            let time = run["scheduledAt"]?.string.flatMap { Timestamp($0) }?.wholeSecond
            switch run["state"]?.string {
            case "scheduled": return "is scheduled\(time.map { " for \($0)" } ?? "")"
            case "in_progress": return "is in progress\(time.map { " since \($0)" } ?? "")"
            case "user_fix_required": return "waits for somebody to mend the service"
            default: return nil
            }
        }
    }

    private func page(_ path: String, _ filter: Query, limit: Int, after cursor: String?, while purpose: String) async throws(APIError)
        -> (items: [JSON], next: String?)
    {
        let answer = try await client.send(.get, path, query: filter + [("limit", String(limit)), ("cursor", cursor)], while: purpose)
        guard let items = answer.body?.array else { throw APIError(missing: "list", purpose: purpose) }
        // The end is an empty or a short page.
        let next = items.count < limit ? nil : items.last?["cursor"]?.string
        guard next == nil || next != cursor else { throw APIError(missing: "cursor that advances", purpose: purpose) }
        return (items, next)
    }

    /// How many instances run.
    func instances(of service: String) async throws(APIError) -> Int {
        let purpose = "listing instances"
        let answer = try await client.send(.get, Path.instances(service), while: purpose)
        guard let items = answer.body?.array else { throw APIError(missing: "list", purpose: purpose) }
        return items.count
    }

    // MARK: - Writing

    func suspend(_ service: String) async throws(APIError) -> APIAnswer {
        try await client.send(.post, Path.suspend(service), while: "suspending the service")
    }

    /// Makes a deploy of what the settings say.
    func resume(_ service: String) async throws(APIError) -> APIAnswer {
        try await client.send(.post, Path.resume(service), while: "resuming the service")
    }

    func rollback(_ service: String, to deploy: String) async throws(APIError) -> APIAnswer {
        try await client.send(
            .post, Path.rollback(service), body: ["deployId": .string(deploy)], while: "rolling back to \(deploy)")
    }

    /// - Parameter body: an object; Render wants one even when there is nothing to say.
    func deploy(_ service: String, _ body: JSON, while purpose: String) async throws(APIError) -> APIAnswer {
        try await client.send(.post, Path.deploys(service), body: body, while: purpose)
    }

    /// What the body leaves out keeps its value; nothing is deployed.
    func patch(_ service: String, _ body: JSON, while purpose: String) async throws(APIError) -> APIAnswer {
        try await client.send(.patch, Path.service(service), body: body, while: purpose)
    }

    func setVariable(_ service: String, _ key: String, _ value: Secret) async throws(APIError) -> APIAnswer {
        do throws(APIError) {
            return try await client.send(
                .put, Path.variable(service, key), body: ["value": .string(value.reveal())], while: "setting variable \(key)")
        } catch {
            throw error.hiding(value)
        }
    }

    func removeVariable(_ service: String, _ key: String) async throws(APIError) -> APIAnswer {
        try await client.send(.delete, Path.variable(service, key), while: "removing variable \(key)")
    }
}

/// How a deploy began, as the event of it tells.
struct RenderBeginning: Sendable, Hashable {
    /// The deploy that it rolls back to.
    var target: String?
    /// The address of who asked for it.
    var user: String?
}
