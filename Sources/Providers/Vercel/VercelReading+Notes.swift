import Model

extension VercelReading {
    /// Facts for status and plan, the most important first.
    var notes: [String] {
        var notes: [String] = []
        if let job = project.job, job.isUnclear {
            notes.append("the last \(job.type), to \(job.to), says \(job.status), which is not known")
        }
        if project.autoAssigns == false { notes.append(autoAssignment) }
        if let waiting { notes.append(waiting) }
        if let crons = project.cronsDeployment, let production, crons != production.id {
            notes.append("cron jobs still run those of \(crons)")
        }
        if let production, production.isProduction, project.domains.isEmpty {
            notes.append("the answer names no production domains: only the declared release could be compared")
        }
        return notes
    }

    private var autoAssignment: String {
        if project.autoAssignUpdatedBy == VercelMark.actor, !project.isPaused {
            return "automatic assignment of domains is off, by a fence of Belay's: pushes are built and not served"
        }
        if project.isPaused { return "automatic assignment of domains is off while the project is paused" }
        if let job = project.job, job.type == "rollback", !job.hasFailed {
            let when = job.requested.map { " of \($0.wholeSecond)" } ?? ""
            let why = project.rollbackReason.map { $0.hasPrefix("Belay:") ? ", by Belay" : " (\($0))" } ?? ""
            return "automatic assignment of domains is off since the rollback\(when) to \(job.to)\(why): pushes are built and not served"
        }
        let who = project.autoAssignUpdatedBy.map { ", set by \($0)" } ?? ""
        return "automatic assignment of domains is off, and not by a rollback\(who): pushes are built and not served"
    }

    /// Newer production builds that no visitor has seen.
    private var waiting: String? {
        guard let live = production?.created else { return nil }
        let staged = deployments.values.filter { deployment in
            deployment.isProduction && deployment.stage == .ready && !deployment.hasServed && deployment.id != rolling?.canary
                && deployment.created.map { $0 > live } ?? false
        }
        .sorted { ($0.created ?? live, $0.id) > ($1.created ?? live, $1.id) }
        guard let newest = staged.first else { return nil }
        let count = staged.count == 1 ? "a newer build waits" : "\(staged.count) newer builds wait"
        return "\(count) unserved, the newest is \(newest.release.label)"
    }

    /// Why nothing may be written though Vercel answers.
    func blocker(for question: VercelQuestion, resource: String) -> Problem? {
        guard let job = project.job, isJobStuck, deployments[job.to].map(question.isMet) ?? false else { return nil }
        return Problem(
            "JobStuck",
            "\(resource): the \(job.type) to \(job.to) has been \(job.status) for \(age(of: job.requested)?.words ?? "long"); "
                + "asking again would not make it faster",
            next: "look at https://www.vercel-status.com; promote or roll back in the dashboard to replace the job")
    }
}
