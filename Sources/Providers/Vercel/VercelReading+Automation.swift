import Model

extension VercelReading {
    /// The project's own name of the switch.
    static let switchName = "autoAssignCustomDomains"

    /// Automatic assignment of domains; nil when the answer does not say how it is set.
    var automation: Automation? {
        guard let isOn = project.autoAssigns else { return nil }
        return Automation(
            name: Self.switchName, summary: "gives the production domains to every new production build", isOn: isOn,
            value: String(isOn), off: String(false),
            setBy: project.autoAssignUpdatedBy.map { $0 == VercelMark.actor ? "Belay" : $0 == "system" ? "Vercel" : $0 })
    }

    /// Who made what is declared now, and when; nil when nothing tells.
    var cause: String? {
        guard let production else { return nil }
        if let job = project.job, job.to == production.id, !job.hasFailed, !isOlder(job, than: production) {
            let when = job.requested.map { ", \($0.wholeSecond)" } ?? ""
            return "\(job.type) to \(production.release.label)\(by(who(rolledBack: job)))\(when)"
        }
        let when = production.created.map { ", \($0.wholeSecond)" } ?? ""
        if production.intent != nil { return "build \(production.release.label) by Belay\(when)" }
        guard let commit = production.commit else {
            let how = production.means.map { " (\($0))" } ?? ""
            return production.creator == nil && production.created == nil
                ? nil : "deployment \(production.id)\(by(production.creator))\(how)\(when)"
        }
        let verb = production.means == nil || production.means == "git" ? "push" : "build"
        let branch = production.branch.map { " \(verb == "push" ? "to" : "from") \($0)" } ?? ""
        return "\(verb) of \(commit.prefix(7))\(branch)\(by(production.author ?? production.creator))\(when)"
    }

    private func by(_ who: String?) -> String { who.map { " by \($0)" } ?? "" }

    /// Only a rollback is signed.
    private func who(rolledBack job: VercelJob) -> String? {
        guard job.type == "rollback" else { return nil }
        return project.rollbackReason?.hasPrefix("Belay:") == true ? "Belay" : project.rollbackBy
    }

    /// A job to a deployment that took the domains by itself before, at the end of its build, is the newer of the two.
    private func isOlder(_ job: VercelJob, than deployment: VercelDeployment) -> Bool {
        guard let requested = job.requested, let created = deployment.created else { return false }
        return requested < created
    }
}
