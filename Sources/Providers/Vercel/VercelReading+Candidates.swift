import Model

extension VercelReading {
    /// Every release that was seen, the newest first, with the ways to it; what the pin names and Vercel no longer has, at the end.
    func candidates(for question: VercelQuestion, allowRebuild: Bool, resource: String) -> [Candidate] {
        let shown = deployments.values.filter { $0.isProduction || question.isMet(by: $0) || question.isNamed($0) }
        var candidates = shown.sorted { ($0.created ?? .distantPast, $0.id) > ($1.created ?? .distantPast, $1.id) }
            .map { candidate($0, allowRebuild: allowRebuild, resource: resource) }
        candidates += gone.subtracting(deployments.keys).sorted().map { name in
            let identity = ArtifactIdentity(.deployment, name)
            return Candidate(
                Release(label: name, names: [ReleaseName(.deployment, name, denotes: identity)]), routes: [],
                gone: goneProblem(name, resource))
        }
        for commit in question.commits where commit.utf8.count == 40 && !shown.contains(where: { $0.commit == commit }) {
            guard let git = project.git else { continue }
            candidates.append(commitCandidate(commit, git, allowRebuild: allowRebuild, resource: resource))
        }
        if let (name, words) = question.alien { candidates.append(alienCandidate(name, words, resource)) }
        return candidates
    }

    /// A release that cannot be, so that the pin is refused for what it is and not for being unknown.
    private func alienCandidate(_ name: ReleaseName, _ words: String, _ resource: String) -> Candidate {
        let refusal = Problem(
            "PinUnsupported", "\(resource): Vercel has no \(words)", next: "pin a deployment id, a URL or a commit")
        return Candidate(
            Release(label: "\(name.kind) \(name.value)", names: [name]),
            routes: [
                Route(.redeploy, means: "none", class: .minutes, token: "", isIdempotent: false, refusal: refusal)
            ])
    }

    private func candidate(_ deployment: VercelDeployment, allowRebuild: Bool, resource: String) -> Candidate {
        if deployment.stage == .deleted { return Candidate(deployment.release, routes: [], gone: goneProblem(deployment.id, resource)) }
        return Candidate(deployment.release, routes: routes(to: deployment, allowRebuild: allowRebuild, resource: resource))
    }

    private func goneProblem(_ name: String, _ resource: String) -> Problem {
        Problem(
            "Gone", "\(resource): deployment \(name) was deleted, by the project's retention policy or by hand",
            next: "restore it in the dashboard, which is possible for 30 days, or pin another release")
    }

    // MARK: - Routes

    private func routes(to deployment: VercelDeployment, allowRebuild: Bool, resource: String) -> [Route] {
        func refusal(_ reason: String, _ message: String, next: String) -> Problem {
            Problem(reason, "\(resource): \(message)", next: next)
        }
        switch deployment.stage {
        case .ready:
            guard deployment.isProduction else { return [rebuild(of: deployment, allowRebuild, resource)] }
            let way = deployment.hasServed || deployment.id == production?.id ? rollback(to: deployment) : promote(deployment, resource)
            return ways(to: deployment, way, allowRebuild, resource)
        case .building(let word):
            guard deployment.isProduction else { return [rebuild(of: deployment, allowRebuild, resource)] }
            var route = promote(deployment, resource)
            route.refusal = refusal("Building", "\(deployment.id) is \(word)", next: "wait until it is built")
            return [route]
        case .blocked(let why):
            var route = promote(deployment, resource)
            route.refusal = refusal(
                "DeploymentBlocked", "\(deployment.id) is blocked: \(why)",
                next: "let a member of the team approve it in the dashboard, or pin another release")
            return [route]
        case .failed(let why):
            var route = rebuild(of: deployment, allowRebuild, resource)
            // A build of ours is not built again from itself: its lineage would lose what the pin names.
            if deployment.source != nil || !allowRebuild {
                route.refusal = refusal(
                    "BuildFailed", "\(deployment.id) was not built: \(why)",
                    next: "pin a release that is built\(deployment.source == nil ? ", or set allowRebuild: true to try again" : "")")
            }
            return [route]
        case .other(let word):
            var route = promote(deployment, resource)
            route.refusal = refusal("UnknownState", "\(deployment.id) is \(word), which is not known", next: "pin another release")
            return [route]
        case .deleted: return []
        }
    }

    /// A kept build as it is, with the variables written before; or, where both cannot stand together, a new build of it.
    private func ways(to deployment: VercelDeployment, _ way: Route, _ allowRebuild: Bool, _ resource: String) -> [Route] {
        guard let configuration, configuration.isManaged else { return [way] }
        var way = way
        way.refusal = way.refusal ?? configuration.refusal(resource)
        let keys = configuration.stale(in: deployment)
        guard !keys.isEmpty else {
            way.means = means(way.means)
            return [withVariables(way)]
        }
        guard allowRebuild else {
            way.refusal = rebuildNeeded(deployment, keys, resource)
            return [way]
        }
        way.refusal = Problem(
            "RebuildNeeded",
            "\(resource): \(deployment.id) was built before \(keys.joined(separator: ", ")) had the value that the spec gives",
            next: "nothing is to be done: it is built anew, which allowRebuild: true allows")
        return [way, renewal(of: deployment, keys, true, resource)]
    }

    func rollback(to deployment: VercelDeployment) -> Route {
        var cautions: [String] = []
        if project.autoAssigns != false {
            cautions.append("switches automatic assignment of domains off: later pushes are built and not served")
        }
        cautions.append("environment variables and crons are those that \(deployment.id) was built with")
        cautions += configuration?.returning(with: deployment) ?? []
        if let rolling { cautions.append("ends the rolling release to \(rolling.canary) at \(rolling.progress)") }
        if (deployment.plan ?? production?.plan) == "hobby" {
            cautions.append("on the Hobby plan, Vercel rolls back one release only")
        }
        return Route(
            .undo, means: "instant rollback", class: .instant,
            token: VercelWrite.rollback(project: project.id, deployment: deployment.id).token, isIdempotent: false,
            cautions: cautions + jobCautions)
    }

    func promote(_ deployment: VercelDeployment, _ resource: String) -> Route {
        var cautions: [String] = []
        if project.autoAssigns == false { cautions.append("switches automatic assignment of domains on; a fence goes up again at the end") }
        cautions += configuration?.returning(with: deployment) ?? []
        for other in deployments.values.sorted(by: { $0.id < $1.id }) {
            guard other.isProduction, other.id != deployment.id, case .building = other.stage, let begun = other.created,
                deployment.created.map({ $0 < begun }) ?? false
            else { continue }
            cautions.append("\(other.id) is newer, is being built, and takes the domains when it is ready")
        }
        if rolling != nil {
            cautions.append("waits until the rolling release that is under way has ended")
        } else if project.rollsOut {
            cautions.append("begins a rolling release")
        }
        var refusal: Problem?
        if deployment.checks == "failed" {
            refusal = Problem(
                "ChecksFailed", "\(resource): checks of \(deployment.id) failed",
                next: "look at them in the dashboard, or pin another release")
        } else if deployment.checks == "pending" {
            refusal = Problem("ChecksRunning", "\(resource): checks of \(deployment.id) are running", next: "wait until they have ended")
        } else if rolling?.canary == deployment.id {
            // Promoting the canary would end the rollout at once.
            refusal = Problem(
                "RollingRelease", "\(resource): \(deployment.id) is being rolled out to \(rolling?.progress ?? "its visitors")",
                next: "wait for the rolling release, or complete it in the dashboard")
        }
        return Route(
            .promote, means: "promotion without a build", class: project.rollsOut ? .minutes : .instant,
            token: VercelWrite.promote(project: project.id, deployment: deployment.id).token, isIdempotent: false,
            cautions: cautions + jobCautions, refusal: refusal)
    }

    private func rebuild(of deployment: VercelDeployment, _ isAllowed: Bool, _ resource: String) -> Route {
        let what = deployment.isProduction ? "was not built" : "is a preview, which cannot serve production as it is"
        let token = VercelWrite.rebuild(project: project.id, deployment: deployment.id).token
        var route = Route(
            .redeploy, means: means("build \(deployment.id) anew for production"), class: .minutes, token: token, part: token,
            isIdempotent: false, cautions: buildCautions)
        if !isAllowed {
            route.refusal = Problem(
                "RebuildNotAllowed", "\(resource): \(deployment.id) \(what)",
                next: "set allowRebuild: true to build it anew with today's production environment, or pin a release that has served")
        }
        route = afterBuild(of: deployment, route, resource)
        route.refusal = route.refusal ?? configuration?.refusal(resource)
        return withVariables(route)
    }

    private func commitCandidate(_ commit: String, _ git: VercelGitLink, allowRebuild: Bool, resource: String) -> Candidate {
        var source = git.source
        source["ref"] = git.branch
        source["sha"] = commit
        let route = Route(
            .redeploy, means: means("build commit \(commit.prefix(7)) for production"), class: .minutes,
            token: VercelWrite.build(project: project.id, source: source).token, isIdempotent: false, cautions: buildCautions,
            refusal: allowRebuild
                ? configuration?.refusal(resource)
                : Problem(
                    "RebuildNotAllowed", "\(resource): no deployment of commit \(commit.prefix(7)) is left",
                    next: "set allowRebuild: true to build it, or pin a release that has served"))
        let identity = ArtifactIdentity(.commit, commit)
        return Candidate(
            Release(label: "commit \(commit.prefix(7))", names: [ReleaseName(.commit, commit, denotes: identity)]),
            routes: [withVariables(route)])
    }

    var buildCautions: [String] {
        var cautions = ["builds anew, under another id, with today's environment variables"]
        if project.autoAssigns == false {
            cautions.append("the build is promoted when it is ready, because automatic assignment of domains is off")
        }
        return cautions
    }

    private var jobCautions: [String] {
        guard let job = project.job, isJobStuck else { return [] }
        return ["replaces the \(job.type) to \(job.to), which has been \(job.status) since \(age(of: job.requested)?.words ?? "long")"]
    }
}
