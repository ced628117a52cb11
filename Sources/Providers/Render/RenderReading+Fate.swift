import Model
import ProviderKit

extension RenderReading {
    /// How long a request whose answer was lost may take to show: twice the client's deadline, and half a minute for Render's own lists.
    static let visibility = Duration.seconds(90)

    /// What the open intent made; nil when it makes none, or has made none yet.
    var made: RenderDeploy? {
        guard let intent = request.openIntent, intent.route.part == nil, let way = RenderWay(token: intent.route.token) else { return nil }
        return deploys.first { way.made($0, sent: intent.providerTime, among: deploys) }
    }

    /// What became of a write whose end was not seen.
    func fate(of intent: Intent) -> IntentFate {
        guard let way = RenderWay(token: intent.route.token) else {
            return .undecided("the intent \(intent.id) holds a route that this version does not know")
        }
        if let part = intent.route.part { return fate(of: RenderPart(part), way, intent) }
        if let made {
            switch made.stage {
            case .active: return isActive(made) ? .inFlight : .failed(overdue(made))
            case .live, .deactivated: return .tookEffect
            case .failed, .canceled: return problem(of: made).map(IntentFate.failed) ?? .tookEffect
            }
        }
        guard let sent = intent.providerTime, let now = time else {
            return .undecided("no trace of it, and Render did not tell the time")
        }
        // Under the policy Wait, Render answers 202 and makes the deploy when the one that runs has ended.
        if let blocking = active.first {
            guard (blocking.created ?? sent) <= sent + RenderWay.skew else {
                return .undecided("\(blocking.id) is under way, and may have taken its place")
            }
            return .inFlight
        }
        let since = deploys.compactMap(\.finished).filter { $0 > sent }.max() ?? sent
        let waited = now - since
        if waited > Self.visibility { return .void }
        return .undecided("no trace of it after \(waited.words); Render may show it for up to \(Self.visibility.words)")
    }

    /// All parts may be sent again at once.
    private func fate(of part: RenderPart?, _ way: RenderWay, _ intent: Intent) -> IntentFate {
        switch part {
        case .set(let key, _):
            guard let value = variables?[key] else { return .void }
            let wanted = intent.fingerprint ?? request.configuration?.values[key]?.fingerprint
            return wanted != nil && request.keeper.entry(key, value).fingerprint == wanted ? .tookEffect : .void
        case .remove(let key):
            return variables.map { $0[key] == nil } == true ? .tookEffect : .void
        case .saveImage:
            guard case .image(_, _, let image) = way else { return .void }
            return service.image == RenderImage(image) ? .tookEffect : .void
        case nil:
            return .undecided("the intent \(intent.id) holds a part that this version does not know")
        }
    }

    private func overdue(_ deploy: RenderDeploy) -> Problem {
        Problem(
            "DeployStuck", "\(resource): deploy \(deploy.id) has been \(deploy.word) for \(age(of: deploy.created)?.words ?? "long")",
            next: "cancel it at \(service.page), and look at https://status.render.com")
    }
}

extension RenderWay {
    /// `Date` tells whole seconds, and two of the vendor's machines need not agree to the second.
    static let skew = Duration.seconds(5)

    /// True if a deploy is what this write makes, or one with the same effect that somebody asked for since: Render keeps nothing of ours.
    ///
    /// - Parameter sent: the provider's time before it was sent; nil: it cannot be told.
    func made(_ deploy: RenderDeploy, sent: Timestamp?, among deploys: [RenderDeploy]) -> Bool {
        guard let sent, let created = deploy.created, created + Self.skew >= sent else { return false }
        // What had ended before cannot be its effect.
        if let finished = deploy.finished, finished < sent { return false }
        func isOf(_ trigger: String) -> Bool { deploy.trigger == trigger || deploy.trigger == "other" }
        func runs(commit: String?) -> Bool { commit == nil || deploy.commit == nil || deploy.commit == commit }
        switch self {
        case .rollback(_, let target, let build):
            let commit = deploys.first { $0.id == target }?.commit
            return isOf("rollback") && runs(commit: commit) || build != nil && isOf("api") && runs(commit: build)
        case .build(_, let commit): return isOf("api") && runs(commit: commit)
        case .image(_, _, let image):
            let digest = RenderImage(image)?.digest
            // A service that Belay has suspended gets its image by being resumed.
            return (isOf("api") || deploy.trigger == "service_resumed")
                && (deploy.sha == nil && deploy.image == nil || deploy.sha == digest || deploy.image?.digest == digest)
        case .deployOnly: return isOf("api")
        case .settings: return false
        }
    }
}
