import JSONValues
import Synchronization

/// What happens in a world that nobody asked for over the API. Services go by their name; an unknown one is left alone.
extension RenderSimulator {
    /// What becomes of a deploy.
    public enum Fate: Sendable {
        case succeeds
        /// Waits for a deploy that builds: a rollback and an image do not.
        case buildFails
        case preDeployFails
        /// Ends when the vendor gives up waiting, by default after 15 minutes.
        case healthCheckFails
        /// Never leaves `update_in_progress` unless it is cancelled.
        case stuck
        /// Passes through a status that no client has heard of.
        case passesThrough(String)
    }

    /// Somebody pushes to the branch. With autodeploy on, a deploy begins some seconds later, even if autodeploy is switched off until then.
    public func pushCommit(_ service: String, sha: String, message: String = "A change") {
        change(service) { state, index, now in
            let commit = RenderCommit(id: sha, message: message, createdAt: RenderTime(milliseconds: now))
            state.services[index].commits.append(commit)
            guard state.services[index].settings.autoDeploy != "off", !state.services[index].isImageBacked else { return }
            state.services[index].pushes.append((now + state.services[index].timing.push, commit))
        }
    }

    /// Decides what becomes of the next deploy, whoever makes it.
    public func setNextDeploy(_ service: String, _ fate: Fate) {
        change(service) { state, index, _ in
            state.services[index].next =
                switch fate {
                case .succeeds: .succeeds
                case .buildFails: .buildFails
                case .preDeployFails: .preDeployFails
                case .healthCheckFails: .healthCheckFails
                case .stuck: .stuck
                case .passesThrough(let status): .passesThrough(status)
                }
        }
    }

    /// The build of a deploy is deleted before its time.
    ///
    /// - Parameter status: what a rollback to a build that is gone is answered with from now on.
    public func evictArtifact(_ service: String, _ deploy: String, status: Int = 400) {
        change(service) { state, index, _ in
            state.services[index].evicted.insert(deploy)
            state.goneStatus = status
        }
    }

    /// Whether a rollback over the API switches autodeploy off: the document says no, a live drill saw it.
    public func setRollbackStopsAutoDeploy(_ stops: Bool) {
        state.withLock { $0.rollbackStopsAutoDeploy = stops }
    }

    /// For so long a new deploy is listed and yet not found by its id.
    public func hideNewDeploys(for duration: Duration) {
        state.withLock { $0.hidesNewDeploys = duration.components.seconds * 1000 }
    }

    /// The platform deploys the running version again.
    public func redeployByPlatform(_ service: String) {
        change(service) { state, index, now in
            guard state.services[index].running != nil, !state.services[index].isSuspended else { return }
            _ = state.trigger(RenderDeployRequest(trigger: "deployed_by_render", repeats: true), index, now)
        }
    }

    /// Somebody pushes other bytes under a tag. What runs keeps what it pulled.
    ///
    /// - Returns: the new digest; nil when the text is no reference to an image.
    @discardableResult
    public func moveTag(_ image: String, to sha: String? = nil) -> String? {
        guard let image = RenderImage(image) else { return nil }
        return state.withLock { state in
            let digest = sha ?? RenderRegistry.digest(of: "\(image) after \(state.registry.pull(image) ?? "")")
            state.registry.set(image, digest)
            return digest
        }
    }

    /// The image and what its tag stands for vanish from the registry.
    public func deleteImage(_ image: String) {
        guard let image = RenderImage(image) else { return }
        state.withLock { $0.registry.delete(image) }
    }

    /// Somebody other than the API suspends the service: `billing`, `admin`, or `user` for a person in the dashboard.
    public func suspend(_ service: String, by actor: String = "billing") {
        change(service) { state, index, now in
            state.suspend(index, by: actor, now)
            state.services[index].note(now, "suspend", byHuman: true)
        }
    }

    /// A person switches autodeploy: `off`, `commit` or `checksPass`.
    public func setAutoDeploy(_ service: String, _ trigger: String) {
        change(service) { state, index, now in
            state.setAutoDeploy(trigger, index, reason: "setting_change", now)
            state.services[index].note(now, "update", byHuman: true, [("fields", ["autoDeploy"])])
        }
    }

    /// A person deploys in the dashboard. Naming a commit switches autodeploy off there.
    public func deployInDashboard(_ service: String, commit: String? = nil) {
        change(service) { state, index, now in
            let known = commit.flatMap { id in state.services[index].commits.last { $0.id == id } }
            let id = state.trigger(RenderDeployRequest(trigger: "manual", commit: known), index, now)
            state.services[index].note(now, "deploy", byHuman: true, [("deploy", .optional(id))])
            if commit != nil { state.setAutoDeploy("off", index, reason: "manual_deploy", now) }
        }
    }

    /// A person rolls back in the dashboard, which switches autodeploy off.
    public func rollBackInDashboard(_ service: String, to deploy: String) {
        change(service) { state, index, now in
            guard state.services[index].deploy(deploy)?.hasServed == true else { return }
            let id = state.rollBack(index, to: deploy, now)
            state.services[index].note(now, "rollback", byHuman: true, [("deploy", .string(id)), ("to", .string(deploy))])
            state.setAutoDeploy("off", index, reason: "rollback", now)
        }
    }

    /// A person saves a variable in the dashboard.
    ///
    /// - Parameter deploys: true deploys the existing build with it, false only saves it.
    public func setVariable(_ service: String, _ key: String, _ value: String, deploys: Bool = false) {
        change(service) { state, index, now in
            var list = state.services[index].variables
            _ = try? state.put(["value": .string(value)], key, .variables, &list)  // Only a wrong key is refused, and leaves all as it was.
            state.services[index].variables = list
            state.services[index].note(now, "env.put", byHuman: true, [("key", .string(key))])
            guard deploys else { return }
            let request = RenderDeployRequest(trigger: "service_updated", skipsBuild: state.services[index].running != nil)
            _ = state.trigger(request, index, now)
        }
    }

    /// From now on the deploys of a service say nothing of their commits.
    public func setShowsNoCommit(_ service: String, _ hides: Bool) {
        change(service) { state, index, _ in state.services[index].showsNoCommit = hides }
    }

    /// The whole platform answers 503, until it is switched back.
    public func setDown(_ isDown: Bool) {
        state.withLock { $0.isDown = isDown }
    }

    private func change(_ service: String, _ body: (inout RenderState, Int, Int64) -> Void) {
        let now = clock.milliseconds
        state.withLock { state in
            state.settle(until: now)
            guard let index = state.services.firstIndex(where: { $0.name == service }) else { return }
            body(&state, index, now)
            state.settle(until: now)
        }
    }
}
