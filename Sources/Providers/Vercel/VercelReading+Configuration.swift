import JSONValues
import Model
import ProviderKit

extension VercelReading {
    /// Named keys that a deployment can only get by being built anew; empty when the configuration is not managed.
    func stale(in deployment: VercelDeployment) -> [String] { configuration?.stale(in: deployment) ?? [] }

    /// True if the declared release is what is asked for, and was built without what it must have.
    func isUnapplied(_ question: VercelQuestion) -> Bool {
        production.map { question.isMet(by: $0) && !stale(in: $0).isEmpty } ?? false
    }

    /// How the configuration is set; nil when it was not read.
    func observedConfiguration(for question: VercelQuestion, allowRebuild: Bool, resource: String) -> ObservedConfiguration? {
        guard let configuration else { return nil }
        var differences = configuration.differences
        if let production {
            let known = Set(differences.map(\.key))
            differences += stale(in: production).filter { !known.contains($0) }.map { ConfigurationDifference($0, .notApplied) }
        }
        let problem = configuration.problem(resource)
        if problem != nil {
            let known = Set(differences.map(\.key))
            differences +=
                configuration.desired?.values.keys.filter { !known.contains($0) }.map { ConfigurationDifference($0, .unverified) } ?? []
        }
        differences.sort()
        let route = differences.isEmpty ? nil : production.map { reconfiguration(of: $0, allowRebuild, resource) }
        return ObservedConfiguration(settings: configuration.settings, differences: differences, route: route, problem: problem)
    }

    /// The way to the declared release with the variables as they must be: the keys, one at a time, and one build of it.
    private func reconfiguration(of production: VercelDeployment, _ allowRebuild: Bool, _ resource: String) -> Route {
        let keys = stale(in: production)
        if !keys.isEmpty { return renewal(of: production, keys, allowRebuild, resource) }
        let token = JSON.object(JSONObject([("configure", .string(production.id)), ("project", .string(project.id))])).description
        var route = Route(
            .redeploy, means: means(""), class: .instant, token: token, isIdempotent: true,
            cautions: ["\(production.id) keeps what it was built with, until the next build"])
        route.refusal = configuration?.refusal(resource)
        return withVariables(route)
    }

    // MARK: - Routes

    /// A new build of a deployment that could serve as it is, but for its variables.
    func renewal(of deployment: VercelDeployment, _ keys: [String], _ allowRebuild: Bool, _ resource: String) -> Route {
        var git: [String: String]?
        // What a build from a deployment's id inherits is told in two ways; one from a commit takes the variables of today.
        if let commit = deployment.commit, commit.utf8.count == 40, !deployment.isDirty, let link = project.git {
            git = link.source
            git?["ref"] = link.branch
            git?["sha"] = commit
        }
        let write = VercelWrite.renew(
            project: project.id, VercelWrite.Renewal(deployment: deployment.id, origin: deployment.root, git: git))
        var cautions =
            ["\(deployment.id) was built before \(keys.joined(separator: ", ")) had the value that the spec gives"] + buildCautions
        if git == nil {
            cautions.append("Vercel does not say whether a build of \(deployment.id), which has no commit, takes today's variables")
        }
        var route = Route(
            .redeploy, means: means("one build of \(deployment.commit.map { "commit \($0.prefix(7))" } ?? deployment.id)"), class: .minutes,
            token: write.token, part: write.token, isIdempotent: false, cautions: cautions)
        if !allowRebuild { route.refusal = rebuildNeeded(deployment, keys, resource) }
        route = afterBuild(of: deployment, route, resource)
        route.refusal = route.refusal ?? configuration?.refusal(resource)
        return withVariables(route)
    }

    /// The build is made, and something else than Vercel's automation has to give it the domains.
    func afterBuild(of deployment: VercelDeployment, _ route: Route, _ resource: String) -> Route {
        guard let built = renewed(deployment) else { return route }
        let last = built.hasServed ? rollback(to: built) : promote(built, resource)
        var route = route
        route.part = last.token
        route.means = "\(last.means) of the build \(built.id)"
        route.refusal = last.refusal
        route.cautions = last.cautions
        return route
    }

    /// The newest build that was made of a deployment and has the variables as they must be; nil while there is none.
    private func renewed(_ deployment: VercelDeployment) -> VercelDeployment? {
        deployments.values.filter {
            $0.isProduction && $0.id != deployment.id && $0.source == deployment.root && $0.stage == .ready && stale(in: $0).isEmpty
        }
        .max { ($0.created ?? .distantPast, $0.id) < ($1.created ?? .distantPast, $1.id) }
    }

    /// The same route with the variables that have to be written before.
    func withVariables(_ route: Route) -> Route {
        guard let write = configuration?.writes.first else { return route }
        var route = route
        route.part = write.token
        route.key = write.writtenKey
        route.isIdempotent = true
        if configuration?.writes.contains(where: { if case .detach = $0 { true } else { false } }) == true {
            route.cautions.append("variables that preview or development share keep their value there")
        }
        return route
    }

    /// `set 2 keys, remove 1 key, then one build of commit 9f2c1ab`.
    func means(_ last: String) -> String {
        let differences = configuration?.differences ?? []
        let removed = differences.count { $0.kind == .extra }
        func words(_ verb: String, _ count: Int) -> String? { count == 0 ? nil : "\(verb) \(count) \(count == 1 ? "key" : "keys")" }
        let parts = [words("set", differences.count - removed), words("remove", removed)].compactMap(\.self).joined(separator: ", ")
        return parts.isEmpty ? last : last.isEmpty ? parts : "\(parts), then \(last)"
    }

    func rebuildNeeded(_ deployment: VercelDeployment, _ keys: [String], _ resource: String) -> Problem {
        Problem(
            "RebuildNotAllowed",
            "\(resource): \(deployment.id) was built before \(keys.joined(separator: ", ")) had the value that the spec gives, and a build cannot be changed",
            next:
                "set allowRebuild: true to build it anew with \(keys.count == 1 ? "that value" : "those values"), or take \(keys.joined(separator: ", ")) out of env"
        )
    }
}
