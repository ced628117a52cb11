import JSONValues
import Model
import ProviderKit

/// Everything that a workload's snapshot says of releases.
struct ReleaseReading: Sendable {
    var snapshot: WorkloadSnapshot
    var request: ObservationRequest
    private let naming: ReleaseNaming

    init(_ snapshot: WorkloadSnapshot, _ request: ObservationRequest) {
        self.snapshot = snapshot
        self.request = request
        naming = ReleaseNaming(container: snapshot.container, pin: request.pin)
    }

    // MARK: - What is live

    var live: Live {
        let declared = declared
        return .release(declared: declared, serving: serving(declared))
    }

    var declared: Release {
        if let current = snapshot.current { return release(current) }
        return snapshot.hasHistory
            ? naming.release(snapshot.image, snapshot.template, remark: "not rolled out yet") : naming.release(of: snapshot)
    }

    /// A release of the history. Where the pin is asked for, the one that is declared is labelled as ``isWhole`` readings label it, with
    /// no number unless the workload itself tells it: the label must not depend on how much was read.
    private func release(_ revision: WorkloadRevision) -> Release {
        var release = naming.release(revision)
        if request.depth == .pin, revision.uid == snapshot.current?.uid { release.label = naming.release(of: snapshot).label }
        return release
    }

    private func serving(_ declared: Release) -> [Release] {
        // Settled and quiet: no other release has a pod.
        guard snapshot.hasHistory else { return max(snapshot.replicas, snapshot.status("replicas")) > 0 ? [declared] : [] }
        guard let pods = snapshot.pods else {
            // Without pods the revisions tell: a ReplicaSet by its size; of a ControllerRevision only an unfinished update is known.
            if snapshot.target.workload.kind == .deployment {
                return snapshot.revisions.filter { $0.replicas ?? 0 > 0 }.map(release)
            }
            guard snapshot.replicas > 0 else { return [] }
            let isDone = snapshot.settlement(of: request.component) == .settled
            return [declared]
                + (isDone ? [] : snapshot.revisions.filter { $0.hash != snapshot.current?.hash }.prefix(1).map(release))
        }
        var serving: [Release] = []
        for pod in pods {
            let release =
                snapshot.revisions.first { $0.hash == pod.hash }.map(release)
                ?? pod.image.map { naming.release($0, remark: "revision unknown") }
            if let release, !serving.contains(release) { serving.append(release) }
        }
        return serving
    }

    // MARK: - Where one could go

    var candidates: [Candidate] {
        var candidates = snapshot.revisions.map(candidate)
        if snapshot.current == nil {
            candidates.insert(Candidate(declared, routes: [route(to: snapshot.image)]), at: 0)
        }
        if request.depth == .pin, let extra = pinned(besides: candidates) { candidates.insert(extra, at: 0) }
        return candidates
    }

    private func candidate(_ revision: WorkloadRevision) -> Candidate {
        let release = release(revision)
        guard let image = revision.template.image(of: snapshot.container) else {
            return Candidate(
                release, routes: [],
                gone: Problem(
                    "ContainerMissing", "revision \(revision.number) of \(snapshot.target.words) has no container \(snapshot.container)"))
        }
        if revision.template.isSame(as: snapshot.template) { return Candidate(release, routes: [route(to: image)]) }
        let returning = revision.template.returning(instead: snapshot.template, container: snapshot.container)
        let cautions = returning.isEmpty ? [] : ["comes back with revision \(revision.number): \(returning.joined(separator: "; "))"]
        let token = token(.undo(revision: revision.name, uid: revision.uid, number: revision.number))
        return Candidate(
            release,
            routes: [
                Route(
                    .undo, means: "rollout undo to revision \(revision.number)", class: .minutes, token: token.text, isIdempotent: true,
                    cautions: snapshot.takeover + cautions)
            ])
    }

    private func token(_ way: RouteToken.Way) -> RouteToken {
        RouteToken(
            way, container: snapshot.container, uid: snapshot.object["metadata"]?["uid"]?.string ?? "",
            fingerprint: snapshot.template.fingerprint, takesOwnership: request.takeOwnership)
    }

    private func route(to image: ImageReference, cautions: [String] = []) -> Route {
        Route(
            .redeploy, means: "server-side apply of \(image)", class: .minutes, token: token(.apply(image: image.description)).text,
            isIdempotent: true, cautions: snapshot.takeover + cautions)
    }

    /// The release that the pin means when no revision is it: an image that never ran here, or a revision that was cleaned up.
    private func pinned(besides known: [Candidate]) -> Candidate? {
        let resolution = request.resolution.flatMap { $0.pin == request.pin ? $0 : nil }
        if let resolution {
            guard !known.contains(where: { $0.release.matches(resolution) }) else { return nil }
            if resolution.identity.kind == .template { return cleanedUp(resolution) }
            if resolution.identity.kind == .image { return neverRun(ImageReference(resolution.identity.value)) }
        }
        guard !known.contains(where: { $0.release.isNamed(by: request.pin) }) else { return nil }
        switch request.pin {
        case .image(let text): return snapshot.image.sibling(text).map(neverRun)
        case .name(let text):
            // Digits alone are a revision number; a tag of that form is pinned as {image: "12"}.
            guard !text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return snapshot.image.sibling(text).map(neverRun)
        case .commit, .revision, .deployment: return nil
        }
    }

    private func neverRun(_ image: ImageReference) -> Candidate {
        Candidate(
            naming.release(image, remark: "not in the history"),
            routes: [route(to: image, cautions: ["nothing here has ever run this image; whether it exists is not known"])])
    }

    private func cleanedUp(_ resolution: Resolution) -> Candidate {
        let limit = snapshot.object["spec"]?["revisionHistoryLimit"]?.integer ?? 10
        let number: [ReleaseName] =
            if case .revision(let number) = request.pin { [ReleaseName(.revision, String(number), denotes: resolution.identity)] } else {
                []
            }
        return Candidate(
            Release(label: resolution.label, names: number, lineage: [resolution.identity]), routes: [],
            gone: Problem(
                "RevisionGone", "\(snapshot.target.words) keeps \(counted(limit, "old revision")), and this one was cleaned up",
                next: "pin its image instead: the image alone is then applied"))
    }

    // MARK: - A lost answer

    /// Reads are linearizable: what took effect is visible at once. A request that is still on its way carries the resourceVersion that
    /// it was made for, so sending again cannot be overtaken by it.
    var fate: IntentFate? {
        guard let intent = request.openIntent else { return nil }
        return declared.matches(intent.resolution) ? .tookEffect : .void
    }
}
