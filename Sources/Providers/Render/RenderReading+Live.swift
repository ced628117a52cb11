import Model
import ProviderKit

extension RenderReading {
    /// Render gives up after 120 minutes of building, 30 of a pre-deploy command and 15 of a health check: what takes longer than all
    /// of them is over, whatever its status says.
    static let longestDeploy = Duration.seconds(3 * 3600)

    /// Nil when one of the two times is unknown.
    func age(of time: Timestamp?) -> Duration? {
        guard let time, let now = self.time else { return nil }
        return max(.zero, now - time)
    }

    func isActive(_ deploy: RenderDeploy) -> Bool {
        guard deploy.isUnderWay else { return false }
        return age(of: deploy.created).map { $0 <= Self.longestDeploy } ?? true
    }

    /// The newest first: under the policy Wait, what was asked for last is what there will be in the end.
    var active: [RenderDeploy] { deploys.filter(isActive) }

    var observedLive: Live {
        guard let declared else {
            guard deploys.contains(where: \.hasServed) else { return .nothing }
            return .unknown(
                Problem(
                    "NothingLive", "\(resource): deploys of \(service.name) have served, and none is live now",
                    next: "look at \(service.page); the next pass looks again"))
        }
        var serving = service.isSuspended && instances ?? 0 == 0 || request.stop != nil && live == nil ? [] : [release(declared)]
        if isStopped, instances ?? 0 > 0 { serving = [release(declared)] }
        // While a deploy takes over, instances of both versions run.
        for deploy in active.reversed() where !["created", "queued", "build_in_progress", "pre_deploy_in_progress"].contains(deploy.word) {
            serving.append(release(deploy))
        }
        return .release(declared: release(declared), serving: serving)
    }

    // MARK: - Settlement

    var settlement: Settlement {
        if let problem = suspension { return .failed(problem) }
        if isStopped { return .progressing("stopped by Belay: its way to a release resumes it") }
        if let deploy = active.first { return .progressing(words(for: deploy)) }
        if let problem = failure ?? failedStart { return .failed(problem) }
        return .settled
    }

    /// Why the newest deploy that was to lead to the pin did not; nil when it did, or when there was none.
    private var failure: Problem? {
        guard !isInPlace, let newest = deploys.first, isMet(by: newest) else { return nil }
        return problem(of: newest)
    }

    /// Why a deploy ended without serving; nil when it did not.
    func problem(of deploy: RenderDeploy) -> Problem? {
        let version = deploy.version.map { " of \($0)" } ?? ""
        switch deploy.stage {
        case .active, .live, .deactivated: return nil
        case .canceled:
            let successor = deploys.last { other in
                other.id != deploy.id && (other.created ?? .distantPast) > (deploy.created ?? .distantPast)
            }
            let by = successor.map { ": \($0.id)\($0.version.map { " of \($0)" } ?? "") took its place (\($0.trigger))" } ?? ""
            return Problem(
                "DeployCanceled", "\(resource): deploy \(deploy.id)\(version) was canceled\(by)",
                next: "see who deploys \(service.name) beside Belay, at \(service.page)")
        case .failed(let word):
            let (reason, what, next) =
                switch word {
                case "build_failed":
                    ("BuildFailed", "was not built", "read its log at \(service.page), or pin a release whose build is kept")
                case "pre_deploy_failed": ("PreDeployFailed", "failed in its pre-deploy command", "read its log at \(service.page)")
                default:
                    (
                        "DeployFailed", "did not become healthy, or its image could not be pulled",
                        "read its log and the service's events at \(service.page)"
                    )
                }
            return Problem(reason, "\(resource): deploy \(deploy.id)\(version) \(what) (\(word))", next: next)
        }
    }

    // MARK: - Operations

    /// What is under way and must not be overlapped: depending on the workspace, Render would wait for it or cancel it.
    var operation: Operation? {
        guard let deploy = active.first else { return nil }
        let identities = release(deploy).identities.sorted { $0.description < $1.description }
        let more = active.count > 1 ? ", after \(active.count == 2 ? "another one" : "\(active.count - 1) others")" : ""
        let cancel =
            isMet(by: deploy) || service.isCron ? "" : "; 'render deploys cancel \(service.id) \(active.last?.id ?? deploy.id)' cancels it"
        return Operation(summary: words(for: deploy) + more + cancel, leadsTo: identities)
    }

    /// `deploy dep-C of 9f2c1ab (new_commit) is build_in_progress, begun 12 s ago`.
    private func words(for deploy: RenderDeploy) -> String {
        let version = deploy.version.map { " of \($0)" } ?? ""
        let since = age(of: deploy.created).map { ", begun \($0.words) ago" } ?? ""
        return "deploy \(deploy.id)\(version) (\(deploy.trigger)) is \(deploy.word)\(since)"
    }

    /// Why nothing may be written though Render answers.
    var suspension: Problem? {
        guard service.isSuspended, !isStopped else { return nil }
        let who = service.suspenders.sorted().joined(separator: ", ")
        let others = service.suspenders.filter { $0 != "user" }
        guard let other = others.sorted().first else {
            return Problem(
                "ServiceSuspended", "\(resource): \(service.name) is suspended by a user and runs nothing",
                next: "resume it at \(service.page) or with 'render services resume \(service.id)'; Belay goes on from there")
        }
        let next =
            switch other {
            case "billing": "settle the workspace's bill; Belay cannot resume it"
            case "admin": "ask Render's support why; Belay cannot resume it"
            case "parent_service": "resume the service that it belongs to"
            default: "look at \(service.page); Belay cannot resume it"
            }
        return Problem("ServiceSuspended", "\(resource): \(service.name) is suspended by \(who) and runs nothing", next: next)
    }

    // MARK: - For people

    /// What made what is live now: `push of 9f2c1ab, deployed at 2026-11-23T14:02:00Z (dep-C)`.
    var cause: String? {
        guard let live else { return nil }
        let version = live.version.map { " of \($0)" } ?? ""
        let what =
            switch live.trigger {
            case "new_commit": "push\(version)\(service.branch.map { " to \($0)" } ?? "")"
            case "manual": "deploy\(version) in the dashboard"
            case "rollback": "rollback to \(beginnings[live.id]?.target ?? "an earlier deploy")\(live.version.map { " (\($0))" } ?? "")"
            case "api": "deploy\(version) through the API"
            case "deploy_hook": "deploy\(version) by a deploy hook"
            case "deployed_by_render": "Render's own deploy\(version)"
            case "service_updated": "deploy\(version) after a change of settings"
            case "service_resumed": "deploy\(version) after the service was resumed"
            case "blueprint_sync": "deploy\(version) by a blueprint"
            default: "deploy\(version) (\(live.trigger))"
            }
        let who = beginnings[live.id]?.user.map { " by \($0)" } ?? ""
        return what + who + (live.created.map { ", \($0.wholeSecond)" } ?? "") + ": \(live.id)"
    }

    /// Facts for status and plan, the most important first.
    var notes: [String] {
        var notes: [String] = []
        if service.isInMaintenance {
            notes.append("maintenance mode is on: the public gets 503, whatever is deployed")
        }
        for words in maintenance { notes.append("maintenance by Render \(words): the service may be restarted") }
        if let stuck = deploys.first(where: { $0.isUnderWay && !isActive($0) }) {
            notes.append("deploy \(stuck.id) has been \(stuck.word) for \(age(of: stuck.created)?.words ?? "long") and is not waited for")
        }
        if let live, let newest = deploys.first, newest.id != live.id, !isActive(newest), problem(of: newest) != nil {
            notes.append(
                "the newest deploy, \(newest.id)\(newest.version.map { " of \($0)" } ?? ""), is not what runs: it is \(newest.word)")
        }
        if let live, live.trigger == "rollback" {
            notes.append(
                "what runs is a rollback: environment, start command and instance count are those of then, the settings those of now")
        }
        notes += configurationNotes
        return notes
    }
}

extension RenderDeploy {
    /// The vendor's word for its status.
    var word: String {
        switch stage {
        case .active(let word), .failed(let word): word
        case .live: "live"
        case .deactivated: "deactivated"
        case .canceled: "canceled"
        }
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
