import JSONValues
import Model
import ProviderKit

extension ReleaseReading {
    /// True if no more has to be read to tell that the pin is in place.
    ///
    /// Only what the pin was resolved to before counts. What it means for the first time is decided among the whole history: a tag may
    /// denote images of two registries, a commit several tags, digits a revision.
    var isWhole: Bool {
        // Whether the last pod of a stopped workload has ended, only pods tell.
        guard request.depth == .pin, request.openIntent == nil, stoppedReplicas == nil, let resolution = request.resolution,
            resolution.pin == request.pin,
            resolution.identity == ArtifactIdentity(.image, snapshot.image.description)
        else { return false }
        // A pin that names it no longer may name another release of the history.
        return declared.isNamed(by: request.pin) && snapshot.isAtRest(request.component)
    }
}

extension WorkloadSnapshot {
    /// The revision that is declared, where the workload tells it; a StatefulSet and a DaemonSet do not.
    var revisionNumber: Int? {
        guard target.workload.kind == .deployment else { return nil }
        return object["metadata"]?["annotations"]?[WorkloadRevision.revisionAnnotation]?.string.flatMap { Int($0) }
    }

    /// True if the workload says of itself that all its pods are of its template and healthy, and no other may still run.
    fileprivate func isAtRest(_ component: String) -> Bool {
        guard !isPaused, settlement(of: component) == .settled else { return false }
        return target.workload.kind == .deployment ? revisionNumber != nil && hasEnded : !hasSurge
    }

    /// False while pods of the release before may be ending: the numbers of the status leave out pods that were told to end.
    ///
    /// Newer servers count those in `terminatingReplicas`. Elsewhere they have ended when their grace period has passed since the rollout
    /// was complete; theirs is that of their own template, which is not known here, so this template's or the default is taken.
    private var hasEnded: Bool {
        guard status("terminatingReplicas") == 0 else { return false }
        guard let end = condition("Progressing")?["lastUpdateTime"]?.string.flatMap({ Timestamp($0) }) else { return true }
        guard let time else { return false }
        return time - end > .seconds(max(30, template.json["spec"]?["terminationGracePeriodSeconds"]?.count ?? 30))
    }

    /// True if a DaemonSet lets the pods of the release before end beside the new ones; else one is made after the other has ended, as in
    /// every StatefulSet.
    private var hasSurge: Bool {
        let surge = object["spec"]?["updateStrategy"]?["rollingUpdate"]?["maxSurge"] ?? .null
        return surge != .null && surge.integer != 0 && surge.string != "0%"
    }
}
