import Model

extension VercelReading {
    /// How long a job may be under way before it is taken for stuck; the vendor's own program gives up after 3 minutes.
    static let longestJob = Duration.seconds(600)
    /// How long Vercel may take from a finished build to the domains before they are taken for held back.
    static let longestAssignment = Duration.seconds(60)

    var live: Live {
        guard let production else { return .nothing }
        var serving = [production.release]
        for id in project.domains.compactMap({ $0.deployment?.id }) + [rolling?.canary].compactMap(\.self) {
            guard let release = release(id), !serving.contains(release) else { continue }
            serving.append(release)
        }
        return .release(declared: production.release, serving: serving)
    }

    private func release(_ id: String) -> Release? {
        deployments[id]?.release
            ?? Release(label: id, names: [ReleaseName(.deployment, id, denotes: ArtifactIdentity(.deployment, id))])
    }

    func identities(of id: String) -> [ArtifactIdentity] {
        let identities = deployments[id]?.release.identities ?? [ArtifactIdentity(.deployment, id)]
        return identities.sorted { $0.description < $1.description }
    }

    /// Nil when one of the two times is unknown.
    func age(of time: Timestamp?) -> Duration? {
        guard let time, let now = self.time else { return nil }
        return max(.zero, now - time)
    }

    var isJobStuck: Bool {
        guard let job = project.job, job.isUnderWay else { return false }
        return age(of: job.requested).map { $0 > Self.longestJob } ?? false
    }

    // MARK: - Settlement

    /// Whether the declared release has arrived; and of a write that is waited for, whether it failed.
    func settlement(of resource: String, waitingFor intent: Intent?) -> Settlement {
        func failed(_ reason: String, _ message: String, next: String?) -> Settlement {
            .failed(Problem(reason, "\(resource): \(message)", next: next))
        }
        if let problem = failure(of: intent, resource) { return .failed(problem) }
        if project.isPaused {
            return failed("ProjectPaused", "project \(project.name) is paused and serves nothing", next: "unpause it in the dashboard")
        }
        if let job = project.job, job.isUnderWay {
            guard isJobStuck else { return .progressing(progress(of: job)) }
            return failed(
                "JobStuck", "\(progress(of: job)), requested \(age(of: job.requested)?.words ?? "long") ago",
                next: "look at https://www.vercel-status.com; promoting or rolling back anew in the dashboard replaces the job")
        }
        if let rolling { return .progressing("rolling release to \(rolling.canary): \(rolling.progress)") }
        if !strays.isEmpty {
            let shown = strays.map { "\($0.name) serves \($0.deployment?.id ?? "nothing")" }.joined(separator: ", ")
            let declared = production?.id ?? "nothing"
            if let job = project.job, job.isUnclear, job.to == production?.id {
                return .unknown(
                    Problem("JobUnclear", "\(resource): the last \(job.type) says \(job.status), which is not known, and \(shown)"))
            }
            return failed(
                "SplitProduction", "production is split: declared is \(declared), but \(shown)",
                next: "pin another release and then this one again, or move the domains with 'vercel alias set'")
        }
        if let problem = production?.aliasProblem {
            return failed(
                "AliasError", "the domains of \(production?.id ?? "") could not be assigned: \(problem)",
                next: "look at the project's domains in the dashboard")
        }
        return .settled
    }

    private func progress(of job: VercelJob) -> String {
        let moved = project.domains.count { $0.deployment?.id == job.to }
        return "\(job.type) to \(job.to): \(moved) of \(project.domains.count) \(project.domains.count == 1 ? "domain" : "domains")"
    }

    /// Why the write of an intent has failed; nil when it has not, or nothing shows of it.
    func failure(of intent: Intent?, _ resource: String) -> Problem? {
        guard let intent, let write = intent.route.write else { return nil }
        if let deployment = write.deployment {
            guard let job = project.job, isJob(job, of: write, intent), production?.id != deployment, job.hasFailed else { return nil }
            let left = failedDomains ?? strays.map(\.name)
            let which = left.isEmpty ? "" : "; not moved: \(left.joined(separator: ", "))"
            return Problem(
                job.status == "skipped" ? "JobSkipped" : "JobFailed", "\(resource): the \(job.type) to \(deployment) \(job.status)\(which)",
                next: "look at the project's domains in the dashboard, and at https://www.vercel-status.com")
        }
        guard write.makesDeployment, let made = made.first.map({ deployments[$0.id] ?? $0 }), made.id != production?.id else { return nil }
        switch made.stage {
        case .failed(let why):
            return Problem(
                "BuildFailed", "\(resource): the build \(made.id) failed: \(why)",
                next: "read its build log, or pin a release that is built")
        case .blocked(let why):
            return Problem(
                "DeploymentBlocked", "\(resource): the build \(made.id) is blocked: \(why)",
                next: "let a member of the team approve it in the dashboard")
        case .deleted: return Problem("Gone", "\(resource): the build \(made.id) was deleted", next: "pin a release that is there")
        case .ready where made.checks == "failed":
            return Problem(
                "ChecksFailed", "\(resource): checks of \(made.id) failed, so that it gets no domains",
                next: "look at its checks in the dashboard")
        case .ready:
            guard let problem = made.aliasProblem else { return nil }
            return Problem(
                "AliasError", "\(resource): the domains of \(made.id) could not be assigned: \(problem)",
                next: "look at the project's domains in the dashboard")
        case .building, .other: return nil
        }
    }

    // MARK: - Operations

    /// What is under way and must not be overlapped.
    func operation(for question: VercelQuestion) -> Operation? {
        if let job = project.job, job.isUnderWay, !isJobStuck {
            let since = age(of: job.requested).map { ", requested \($0.words) ago" } ?? ""
            return Operation(summary: "\(job.type) to \(job.to)\(since)", leadsTo: identities(of: job.to))
        }
        let wanted = deployments.values.filter(question.isMet).sorted { $0.id < $1.id }
        if let rolling {
            // A rollback ends a rolling release, and must not wait for it.
            let isUndo = wanted.contains { $0.isProduction && $0.hasServed && $0.stage == .ready && $0.id != production?.id }
            let next = [rolling.canary, rolling.queued].compactMap(\.self).first { id in wanted.contains { $0.id == id } }
            if let next {
                return Operation(summary: "rolling release to \(rolling.canary), \(rolling.progress)", leadsTo: identities(of: next))
            }
            if !isUndo {
                return Operation(
                    summary: "rolling release to \(rolling.canary), \(rolling.progress)", leadsTo: identities(of: rolling.canary))
            }
        }
        let useful = wanted.filter { stale(in: $0).isEmpty }
        guard production.map(question.isMet) != true || isUnapplied(question), !useful.contains(where: { canTakeDomains($0) }) else {
            return nil
        }
        for deployment in useful where deployment.isProduction {
            switch deployment.stage {
            case .building(let word):
                let since = age(of: deployment.created).map { ", begun \($0.words) ago" } ?? ""
                return Operation(summary: "build \(deployment.id) is \(word)\(since)", leadsTo: identities(of: deployment.id))
            case .ready where deployment.checks == "pending":
                return Operation(summary: "checks of \(deployment.id) are running", leadsTo: identities(of: deployment.id))
            case .ready where isBeingAssigned(deployment):
                return Operation(summary: "the domains are being assigned to \(deployment.id)", leadsTo: identities(of: deployment.id))
            case .ready, .failed, .blocked, .deleted, .other: continue
            }
        }
        return nil
    }

    private func canTakeDomains(_ deployment: VercelDeployment) -> Bool {
        deployment.isProduction && deployment.stage == .ready && (deployment.hasServed || deployment.checks != "pending")
            && !isBeingAssigned(deployment)
    }

    /// True if Vercel is about to give the domains to a build that has just been finished.
    func isBeingAssigned(_ deployment: VercelDeployment) -> Bool {
        guard deployment.stage == .ready, !deployment.hasServed, deployment.checks == nil, deployment.aliasProblem == nil,
            project.autoAssigns == true, !project.isPaused, let created = deployment.created,
            let age = age(of: deployment.readyAt)
        else { return false }
        return age < Self.longestAssignment && production?.created.map { $0 < created } ?? true
    }
}

extension Duration {
    /// `12 s`, `3 min`, `5 h`, `2 d`.
    var words: String {
        let seconds = components.seconds
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
