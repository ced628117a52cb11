import JSONValues
import Model
import ProviderKit

/// One write, from what is to be sent to what its answer means.
struct RenderCall: Sendable {
    let api: RenderAPI
    let memory: RenderMemory
    let target: RenderTarget
    let request: ApplyRequest
    let resource: String

    // MARK: - Parts

    func send(_ part: RenderPart, of way: RenderWay) async -> ApplyResult {
        switch part {
        case .set(let key, let past):
            guard let value = request.configuration?.values[key] else {
                return .refused(Problem("ValueMissing", "\(resource): no value of \(key) is known", next: "plan again"))
            }
            return await result { () async throws(APIError) in
                let answer = try await api.setVariable(way.service, key, value.secret)
                let since = answer.time ?? request.intent.providerTime
                let marker = since.map { ValueHistory(past).adding(value.fingerprint, since: $0, isSet: true).text }
                return .accepted(
                    ["operation": "set", "key": key],
                    configuration: [key: ConfigurationEntry(fingerprint: value.fingerprint, marker: marker)])
            }
        case .remove(let key):
            return await result { () async throws(APIError) in
                let answer: APIAnswer
                do throws(APIError) {
                    answer = try await api.removeVariable(way.service, key)
                } catch {
                    if error.code == .notFound { return .alreadySo }
                    throw error
                }
                let since = answer.time ?? request.intent.providerTime
                return .accepted(
                    ["operation": "remove", "key": key],
                    configuration: [key: ConfigurationEntry(marker: since.map(RenderReading.removalMarker))])
            }
        case .saveImage:
            guard case .image(let service, let owner, let image) = way else {
                return .refused(Problem("UnknownRoute", "\(resource): the route names no image", next: "plan again"))
            }
            return await budgeted(service) { () async throws(APIError) in
                let body: JSON = ["image": ["ownerId": .string(owner), "imagePath": .string(image)]]
                let answer = try await api.patch(service, body, while: "setting the image to \(image)")
                memory.note(answer.headers, of: service)
                return .accepted(["operation": "save", "image": image])
            }
        }
    }

    // MARK: - The last write of a way

    func send(_ way: RenderWay) async -> ApplyResult {
        if let end = await reasonNotToSend(way) { return end }
        switch way {
        case .rollback(let service, let deploy, let build):
            return await rollBack(service, to: deploy, orBuild: build)
        case .build(let service, let commit):
            return await deploy(service, ["commitId": .string(commit)], "build", while: "building commit \(commit.prefix(7))")
        case .image(let service, _, let image):
            if request.stop != nil { return await resumeOrDeploy(service, image) }
            return await deploy(service, [:], "deploy", while: "deploying \(image)")
        case .deployOnly(let service):
            return await deploy(service, ["deployMode": "deploy_only"], "deploy", while: "deploying the existing build")
        case .settings:
            return .alreadySo
        }
    }

    /// Render knows no idempotency keys, and takes a deploy whatever runs: so one more look, just before.
    ///
    /// - Returns: nil if the write may be sent.
    private func reasonNotToSend(_ way: RenderWay) async -> ApplyResult? {
        if case .settings = way { return nil }
        let deploys: [RenderDeploy]
        do throws(APIError) {
            deploys = try await api.deploys(of: way.service, [], limit: 20).page
        } catch {
            return .refused(error.renderProblem(of: resource, target))
        }
        if deploys.contains(where: { way.made($0, sent: request.intent.providerTime, among: deploys) }) { return .alreadySo }
        guard let other = deploys.first(where: { $0.isUnderWay && !isOverdue($0) }) else { return nil }
        return .throttled(
            Problem(
                "OperationInFlight", "\(resource): deploy \(other.id) (\(other.trigger)) has begun meanwhile; nothing was sent",
                next: "the next pass looks again", retryAfter: .seconds(15)))
    }

    /// True if it has taken longer than Render lets a deploy take: whatever its status says, nothing waits for it.
    private func isOverdue(_ deploy: RenderDeploy) -> Bool {
        guard let created = deploy.created, let now = request.intent.providerTime else { return false }
        return now - created > RenderReading.longestDeploy
    }

    /// Once a rollback is refused for certain, the same commit may be built: nothing had begun.
    private func rollBack(_ service: String, to deploy: String, orBuild commit: String?) async -> ApplyResult {
        if let wait = throttled(service) { return wait }
        do throws(APIError) {
            let answer = try await api.rollback(service, to: deploy)
            memory.note(answer.headers, of: service)
            return accepted(answer, "rollback")
        } catch {
            let refused = result(of: error)
            // What an evicted build is refused with is not documented: anything but credentials and limits may be it.
            guard case .refused(let problem) = refused, let status = error.status, (400..<500).contains(status),
                ![401, 403, 408, 429].contains(status)
            else { return refused }
            guard await isIdle(service) else {
                return .throttled(
                    Problem(
                        "OperationInFlight", problem.message, next: "another deploy has begun; the next pass looks again",
                        retryAfter: .seconds(15)))
            }
            memory.addGone(deploy, of: service)
            guard let commit else {
                return .refused(
                    Problem(
                        "ArtifactGone", "\(problem.message): Render cannot roll back to \(deploy) any more",
                        next: "set allowRebuild: true to build its commit anew, or pin a release whose build is kept"))
            }
            var built = await self.deploy(service, ["commitId": .string(commit)], "build", while: "building commit \(commit.prefix(7))")
            if case .accepted(var facts, let configuration) = built {
                facts["instead"] = "Render refused the rollback to \(deploy)"
                built = .accepted(facts, configuration: configuration)
            }
            return built
        }
    }

    /// True if no deploy is under way and the service is not suspended: then a rollback is not refused because of them.
    private func isIdle(_ service: String) async -> Bool {
        do throws(APIError) {
            let deploys = try await api.deploys(of: service, [], limit: 20).page
            guard try await !api.service(service).service.isSuspended else { return false }
            return !deploys.contains(where: \.isUnderWay)
        } catch {
            return false
        }
    }

    private func deploy(_ service: String, _ body: JSON, _ operation: String, while purpose: String) async -> ApplyResult {
        await budgeted(service) { () async throws(APIError) in
            let answer = try await api.deploy(service, body, while: purpose)
            memory.note(answer.headers, of: service)
            return accepted(answer, operation)
        }
    }

    /// A service that Belay has suspended takes no deploy: being resumed makes one of the image that is saved.
    private func resumeOrDeploy(_ service: String, _ image: String) async -> ApplyResult {
        await budgeted(service) { () async throws(APIError) in
            let isSuspended: Bool
            do throws(APIError) { isSuspended = try await api.service(service).service.isSuspended } catch {
                return .refused(error.renderProblem(of: resource, target))
            }
            let answer =
                isSuspended ? try await api.resume(service) : try await api.deploy(service, [:], while: "deploying \(image)")
            memory.note(answer.headers, of: service)
            return isSuspended ? .accepted(["operation": "resume"]) : accepted(answer, "deploy")
        }
    }

    func suspend(_ service: String) async -> ApplyResult {
        await budgeted(service) { () async throws(APIError) in
            let answer = try await api.suspend(service)
            memory.note(answer.headers, of: service)
            return .accepted(["operation": "suspend"])
        }
    }

    func setAutoDeploy(_ service: String, to value: String) async -> ApplyResult {
        // A Boolean would be ignored without a word.
        let body: JSON
        switch value {
        case "yes", "no": body = ["autoDeploy": .string(value)]
        default: body = ["autoDeploy": value == "off" ? "no" : "yes", "autoDeployTrigger": .string(value)]
        }
        return await budgeted(service) { () async throws(APIError) in
            let answer = try await api.patch(service, body, while: "setting autoDeploy to \(value)")
            memory.note(answer.headers, of: service)
            return .accepted(["operation": "autoDeploy", "value": value])
        }
    }

    // MARK: - Answers

    private func accepted(_ answer: APIAnswer, _ operation: String) -> ApplyResult {
        if let id = answer.body?["id"]?.string { return .accepted(["deploy": id, "operation": operation]) }
        // It waits for the deploy that runs; its own has no id yet, and is found by listing.
        if answer.status == 202, operation != "rollback" {
            return .accepted(["operation": operation, "queued": "behind the deploy that runs"])
        }
        return .unknown(
            Problem(
                "MalformedAnswer", "\(resource): \(answer.status) without the id of a deploy",
                next: "the next look at the service's deploys tells what became of it"))
    }

    /// Sends a write of the ten a minute that a service has, if one is left.
    private func budgeted(_ service: String, _ body: () async throws(APIError) -> ApplyResult) async -> ApplyResult {
        if let wait = throttled(service) { return wait }
        return await result(body)
    }

    private func throttled(_ service: String) -> ApplyResult? {
        guard let wait = memory.wait(for: service) else { return nil }
        return .throttled(
            Problem(
                "RateLimited", "\(resource): the writes that Render allows \(service) in a minute are spent; nothing was sent",
                retryAfter: wait))
    }

    private func result(_ body: () async throws(APIError) -> ApplyResult) async -> ApplyResult {
        do throws(APIError) { return try await body() } catch { return result(of: error) }
    }

    private func result(of error: APIError) -> ApplyResult {
        let problem = error.renderProblem(of: resource, target)
        if error.mayHaveTakenEffect || error.status == 408 { return .unknown(problem) }
        return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
    }
}

extension APIError {
    func renderProblem(of resource: String, _ target: RenderTarget) -> Problem {
        let next: String?
        switch code {
        case .unauthorized: next = "check that RENDER_API_KEY is valid: https://dashboard.render.com/settings#api-keys"
        case .forbidden: next = "check that the user of RENDER_API_KEY may deploy \(target.service)"
        case .notFound: next = "check the service's id or name: \(target.service); RENDER_API_KEY must belong to a member of its workspace"
        case .conflict: next = "look at the service in the dashboard: it may be suspended"
        case .rateLimited: next = retryAfter == nil ? "wait; Render's limits are counted by the minute, some by the hour" : nil
        default: next = nil
        }
        var problem = problem(of: resource, next: next)
        problem.retryAfter = problem.retryAfter.map { min($0, .seconds(3600)) }
        return problem
    }
}
