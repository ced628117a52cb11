import Model
import ProviderKit

extension RenderReading {
    /// Every release that was seen, the newest first, with the ways to it; what the pin names and has no deploy, at the end.
    var candidates: [Candidate] {
        let shown = deploys.filter { deploy in
            deploy.hasServed || isActive(deploy) || request.depth == .history || isMet(by: deploy)
        }
        var candidates = shown.map { Candidate(release($0), routes: routes(to: $0)) }
        for commit in question.commits where commit.utf8.count == 40 && !service.isImageBacked {
            guard !shown.contains(where: { $0.commit == commit }) else { continue }
            let identity = ArtifactIdentity(.commit, commit)
            candidates.append(
                Candidate(
                    Release(label: "commit \(commit.prefix(7))", names: [ReleaseName(.commit, commit, denotes: identity)]),
                    routes: [buildRoute(toCommit: commit, unless: "no deploy of commit \(commit.prefix(7)) is left")]))
        }
        if let candidate = imageCandidate(among: shown) { candidates.append(candidate) }
        if let alien = question.alien {
            candidates.append(Candidate(Release(label: "revision \(alien.value)", names: [alien]), routes: [unsupported("revisions")]))
        }
        return candidates
    }

    /// An image by its digest, which no deploy that was seen has run.
    private func imageCandidate(among shown: [RenderDeploy]) -> Candidate? {
        guard service.isImageBacked, let configured = service.image, let pin = question.image ?? question.digests.first,
            let digest = question.digest ?? question.digests.first, !shown.contains(where: { $0.sha == digest })
        else { return nil }
        let repository = question.reference?.repository ?? configured.repository
        let identity = ArtifactIdentity(.image, digest)
        var names = [ReleaseName(.image, digest, denotes: identity), ReleaseName(.image, "\(repository)@\(digest)", denotes: identity)]
        if !names.contains(where: { $0.value == pin }) { names.append(ReleaseName(.image, pin, denotes: identity)) }
        return Candidate(
            Release(label: "image \(digest.prefix(19))", names: names),
            routes: [imageRoute(RenderImage(repository: repository, digest: digest))])
    }

    // MARK: - Routes

    /// What is live needs none.
    private func routes(to deploy: RenderDeploy) -> [Route] {
        guard deploy.id != live?.id else { return [] }
        if service.isImageBacked { return [imageRoute(to: deploy)] }
        guard let commit = deploy.commit else { return deploy.hasServed && !service.isCron ? [rollbackRoute(to: deploy)] : [] }
        switch deploy.stage {
        case .live, .deactivated:
            let why = gone.contains(deploy.id) ? "Render keeps the build of \(deploy.id) no longer" : "it would be built anew"
            let build = buildRoute(to: deploy, unless: why)
            return service.isCron ? [build] : [rollbackRoute(to: deploy), build]
        case .active: return []
        case .failed(let word): return [buildRoute(toCommit: commit, unless: "\(deploy.id) is \(word)")]
        case .canceled: return [buildRoute(toCommit: commit, unless: "\(deploy.id) was canceled before it served")]
        }
    }

    private func rollbackRoute(to deploy: RenderDeploy) -> Route {
        let build = request.allowRebuild ? deploy.commit : nil
        let next = nextPart()
        var cautions = [
            "environment variables, start command and instance count of \(deploy.id) come back with it; the instance type and the settings stay today's"
        ]
        if service.automation.isOn {
            cautions.append("Render \(service.automation.summary): the next one takes its place, unless it is fenced")
        }
        if build != nil { cautions.append("if Render keeps the build no longer, the commit is built anew, which takes minutes") }
        return Route(
            .undo, means: "\(keysFirst())rollback without a build", class: .instant,
            token: RenderWay.rollback(service: service.id, deploy: deploy.id, build: build).token, part: next?.part.text, key: next?.key,
            isIdempotent: next != nil, cautions: cautions, refusal: refusal(ofRollbackTo: deploy))
    }

    /// Why a deploy must not be rolled back to.
    private func refusal(ofRollbackTo deploy: RenderDeploy) -> Problem? {
        let commit = deploy.version ?? deploy.id
        let allow = request.allowRebuild ? nil : "set allowRebuild: true to build \(commit) anew, or pin a release whose build is kept"
        if gone.contains(deploy.id) {
            return Problem(
                "ArtifactGone", "\(resource): Render refused to roll back to \(deploy.id): its build is kept no longer", next: allow)
        }
        guard let desired = request.configuration else { return nil }
        let next =
            "set allowRebuild: true to build \(commit) anew with what env says, or take the keys out of env to roll back to what it had"
        if desired.isExact {
            return Problem(
                "ConfigurationKept",
                "\(resource): a rollback to \(deploy.id) brings its whole environment back, and envPolicy is exact: Render does not show what it holds",
                next: next)
        }
        let missing = missing(from: deploy)
        guard !missing.isEmpty else { return nil }
        let isKnown = missing.contains { carries($0, deploy) == false }
        return Problem(
            "ConfigurationKept",
            "\(resource): a rollback to \(deploy.id) brings its own environment back, \(isKnown ? "in which" : "and it is not known whether in it") "
                + "\(missing.joined(separator: ", ")) \(isKnown ? "is not" : "is") what env says",
            next: next)
    }

    /// - Parameter more: keys to be set beside those that differ.
    func buildRoute(to deploy: RenderDeploy, and more: [String] = [], unless why: String) -> Route {
        buildRoute(toCommit: deploy.commit ?? "", and: more, unless: why)
    }

    private func buildRoute(toCommit commit: String, and more: [String] = [], unless why: String) -> Route {
        let next = nextPart(and: more)
        let short = commit.prefix(7)
        var refusal: Problem?
        if service.isCron {
            refusal = Problem(
                "CronJob", "\(resource): \(service.name) is a cron job, for which Render neither rolls back nor builds a given commit",
                next: "run the cron job from an image and pin its digest")
        } else if commit.isEmpty {
            refusal = Problem("CommitUnknown", "\(resource): Render does not tell the commit", next: "pin a commit")
        } else if !request.allowRebuild {
            refusal = Problem(
                "RebuildNotAllowed", "\(resource): \(why)",
                next: "set allowRebuild: true to build commit \(short) with today's settings, or pin a release whose build is kept")
        }
        return Route(
            .redeploy, means: "\(keysFirst(and: more))build of commit \(short)", class: .minutes,
            token: RenderWay.build(service: service.id, commit: commit).token, part: next?.part.text, key: next?.key,
            isIdempotent: next != nil, cautions: ["builds anew, with today's settings and variables"], refusal: refusal)
    }

    func imageRoute(to deploy: RenderDeploy, and more: [String] = []) -> Route {
        guard let sha = deploy.sha, let repository = deploy.image?.repository ?? service.image?.repository else {
            var route = imageRoute(RenderImage(repository: "unknown", digest: ""))
            route.refusal = Problem(
                "ImageUnknown", "\(resource): \(deploy.id) has no digest: its image was not found in the registry",
                next: "pin a deploy that has served, or an image by its digest")
            return route
        }
        return imageRoute(RenderImage(repository: repository, digest: sha), and: more)
    }

    private func imageRoute(_ image: RenderImage, and more: [String] = []) -> Route {
        var (part, key) = nextPart(and: more).map { ($0.part as RenderPart?, $0.key) } ?? (nil, nil)
        let isSaved = service.image == image
        if part == nil, !isSaved { part = .saveImage }
        var cautions: [String] = []
        if !isSaved {
            cautions.append("sets the service's image to \(image) for good, instead of \(service.image?.description ?? "none")")
        }
        cautions.append("Render keeps no copy: the registry must still have the image, and the credentials must be valid")
        return Route(
            .redeploy,
            means:
                "\(keysFirst(and: more))\(isSaved ? "" : "image by its digest, then ")\(isStopped ? "resume the service" : "one deploy without a build")",
            class: .minutes,
            token: RenderWay.image(service: service.id, owner: service.owner, image: image.description).token, part: part?.text, key: key,
            isIdempotent: part != nil, cautions: cautions)
    }

    private func unsupported(_ words: String) -> Route {
        Route(
            .redeploy, means: "none", class: .minutes, token: "", isIdempotent: false,
            refusal: Problem("PinUnsupported", "\(resource): Render has no \(words)", next: "pin a deploy id, a commit or an image"))
    }
}
