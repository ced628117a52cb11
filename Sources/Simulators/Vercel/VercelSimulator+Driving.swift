import Synchronization

/// What happens in a world that nobody asked for over the API. Projects go by their name; an unknown one is left alone.
extension VercelSimulator {
    public enum JobOutcome: Sendable {
        case succeeded, skipped
        /// Never leaves `pending`, or never leaves `in-progress`.
        case neverBegins, neverEnds
        /// The named domains stay where they are.
        case failed([String])
    }

    public enum BuildOutcome: Sendable {
        case ready, blocked, canceled, stuck
        case error(String)
    }

    public enum AssignmentOutcome: Sendable {
        case normal, checksFailed, checksPending, skipped
        case error(String)
    }

    /// Somebody pushes to the production branch, or to another one.
    ///
    /// - Returns: the id of the deployment that Vercel makes of it; nil for an unknown project.
    @discardableResult
    public func pushCommit(_ project: String, sha: String, message: String? = nil, toProduction: Bool = true) -> String? {
        change(project) { state, index, now in
            let owner = state.projects[index]
            let new = VercelDeployment(
                id: "", url: "", target: toProduction ? "production" : nil, sha: sha, ref: toProduction ? owner.branch : "feature",
                message: message, author: "ada", source: "git", createdAt: now, queueTime: owner.timing.queue,
                buildTime: owner.timing.build)
            return state.add(new, to: index, byHuman: true)
        }
    }

    /// Somebody promotes in the dashboard.
    public func humanPromote(_ project: String, _ deployment: String) {
        change(project) { state, index, now in _ = state.accept(.promote, deployment, index, now, byHuman: true) }
    }

    /// Somebody rolls back in the dashboard.
    public func humanRollback(_ project: String, _ deployment: String) {
        change(project) { state, index, now in _ = state.accept(.rollback, deployment, index, now, byHuman: true) }
    }

    /// Somebody uses `vercel alias set`: the domain moves, the production target and its crons do not.
    public func setAlias(_ project: String, _ domain: String, _ deployment: String) {
        change(project) { state, index, _ in
            for place in state.projects[index].domains.indices where state.projects[index].domains[place].name == domain {
                state.projects[index].domains[place].deployment = deployment
            }
        }
    }

    /// Somebody switches automatic assignment of domains on or off in the dashboard.
    public func setAutoAssign(_ project: String, _ isOn: Bool) {
        change(project) { state, index, now in
            guard state.projects[index].setAutoAssign(isOn, by: VercelProject.person) else { return }
            state.projects[index].books.append(VercelProject.Entry(at: now, operation: "autoAssign", byHuman: true, isOn: isOn))
        }
    }

    public func setPaused(_ project: String, _ isPaused: Bool) {
        change(project) { state, index, _ in
            state.projects[index].isPaused = isPaused
            state.projects[index].setAutoAssign(!isPaused, by: VercelProject.person)
        }
    }

    /// The retention policy deletes a deployment.
    public func expire(_ project: String, _ deployment: String) {
        change(project) { state, index, now in state.projects[index].update(deployment) { $0.deletedAt = now } }
    }

    /// Decides what becomes of the next promote or rollback.
    public func setNextJob(_ project: String, _ outcome: JobOutcome) {
        change(project) { state, index, _ in
            state.projects[index].nextJob =
                switch outcome {
                case .succeeded: .succeeded
                case .skipped: .skipped
                case .neverBegins: .neverBegins
                case .neverEnds: .neverEnds
                case .failed(let domains): .failed(domains)
                }
        }
    }

    /// Decides what becomes of the next deployment.
    public func setNextBuild(_ project: String, _ build: BuildOutcome, assignment: AssignmentOutcome = .normal) {
        change(project) { state, index, _ in
            state.projects[index].nextBuild =
                switch build {
                case .ready: .ready
                case .blocked: .blocked
                case .canceled: .canceled
                case .stuck: .stuck
                case .error(let message): .error(code: "BUILD_FAILED", message: message)
                }
            state.projects[index].nextAssignment =
                switch assignment {
                case .normal: .normal
                case .checksFailed: .checksFailed
                case .checksPending: .checksPending
                case .skipped: .skipped
                case .error(let message): .error(code: "alias_failed", message: message)
                }
        }
    }

    @discardableResult
    func change<Result>(_ project: String, _ body: (inout VercelState, Int, Int64) -> Result) -> Result? {
        let now = clock.milliseconds
        return state.withLock { state in
            state.settle(until: now)
            guard let index = state.projects.firstIndex(where: { $0.name == project }) else { return nil }
            let result = body(&state, index, now)
            state.settle(until: now)
            return result
        }
    }
}
