import Model
import ProviderKit

extension RenderReading {
    /// True if Belay has suspended the service. Render says `user` of everybody who did, so it is the record that tells.
    var isStopped: Bool { request.stop != nil && service.isSuspended && service.suspenders.allSatisfy { $0 == "user" } }

    var stoppage: Stoppage {
        func cannot(_ why: String) -> Stoppage { .impossible(Problem("CannotStop", "\(resource): \(why)")) }
        if let suspension { return .impossible(suspension) }
        guard service.isImageBacked else {
            return cannot("Render has a resumed service run what it ran before, until another deploy takes its place")
        }
        guard !service.isCron, service.type != "static_site" else { return cannot("Render cannot end what runs of a \(service.type)") }
        guard isStopped, let declared else {
            guard let live else { return cannot("nothing of it is live") }
            return .possible(
                means: "suspend the service", memory: live.id,
                cautions: ["the service is resumed with the image that its settings say then, which is the pin's"])
        }
        let start = imageRoute(to: declared)
        let left = instances ?? 0
        if let deploy = active.first { return .stopping("deploy \(deploy.id) has not ended", start: start) }
        guard left == 0 else { return .stopping("\(left) \(left == 1 ? "instance" : "instances") still to end", start: start) }
        return .stopped(start: start)
    }

    /// Why nothing of a service that Belay has resumed runs; nil while it is suspended, and while a deploy is under way.
    var failedStart: Problem? {
        guard request.stop != nil, !service.isSuspended, live == nil, active.isEmpty, !deploys.isEmpty else { return nil }
        return deploys.first.flatMap(problem)
            ?? Problem(
                "NothingLive", "\(resource): \(service.name) was resumed, and nothing of it is live",
                next: "look at \(service.page); the next pass looks again")
    }
}
