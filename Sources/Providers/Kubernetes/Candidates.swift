import JSONValues
import Model
import ProviderKit

/// Everything that a workload's snapshot says of releases.
struct ReleaseReading: Sendable {
    var snapshot: WorkloadSnapshot
    var request: ObservationRequest
    /// Whose environment it is.
    let owner: OwnObject.Owner
    /// Nil when the configuration is not managed.
    let environment: ManagedEnvironment?
    /// ConfigMaps and Secrets as far as they were read.
    var objects: [ConfigurationObject: ObjectState] = [:]
    /// Nil before ``compare(_:)``, and where nobody asked.
    var comparison: Comparison?
    private let naming: ReleaseNaming
    /// The templates of revisions without what Belay decides of their environment; empty where that would tell nothing.
    private let bare: [String: PodTemplate]
    /// Asked for again and again, and the same each time.
    private(set) var declared = Release(label: "", names: [])

    init(_ snapshot: WorkloadSnapshot, _ request: ObservationRequest) {
        self.snapshot = snapshot
        self.request = request
        naming = ReleaseNaming(container: snapshot.container, pin: request.pin)
        let owner = OwnObject.Owner(
            workload: snapshot.target.workload, namespace: snapshot.target.namespace, container: snapshot.container)
        self.owner = owner
        let environment = request.configuration.map { ManagedEnvironment($0, owner) }
        self.environment = environment
        let isTouched =
            snapshot.hasHistory
            && (environment != nil || ([snapshot.template] + snapshot.revisions.map(\.template)).contains { $0.hasVariables(of: owner) })
        bare =
            isTouched
            ? Dictionary(
                snapshot.revisions.map { ($0.uid, $0.template.withoutManaged(owner, environment)) }, uniquingKeysWith: { $1 })
            : [:]
        declared = declaredRelease
    }

    // MARK: - What is live

    var live: Live {
        let declared = declared
        return .release(declared: declared, serving: serving(declared))
    }

    private var declaredRelease: Release {
        if let current = snapshot.current { return release(current) }
        guard snapshot.hasHistory else { return naming.release(of: snapshot) }
        var release = naming.release(snapshot.image, snapshot.template, remark: "not rolled out yet")
        release.lineage = lineage(snapshot.template.withoutManaged(owner, environment)) { _ in true }
        return release
    }

    /// The revisions that a template is but for the environment that Belay gave it: an undo with keys on top is a new revision to the
    /// cluster, and the same release.
    private func lineage(_ template: PodTemplate, where isEarlier: (WorkloadRevision) -> Bool) -> [ArtifactIdentity] {
        guard !bare.isEmpty else { return [] }
        return snapshot.revisions.filter { isEarlier($0) && bare[$0.uid]?.isSame(as: template) == true }.map(\.identity)
    }

    /// True if the pin means this release, as it was resolved or as it is named.
    func isPinned(_ release: Release) -> Bool {
        if let resolution = request.resolution, resolution.pin == request.pin { return release.matches(resolution) }
        return release.isNamed(by: request.pin)
    }

    /// A release of the history. Where the pin is asked for, the one that is declared is labelled as ``isWhole`` readings label it, with
    /// no number unless the workload itself tells it: the label must not depend on how much was read.
    func release(_ revision: WorkloadRevision) -> Release {
        var release = naming.release(revision)
        if let template = bare[revision.uid] {
            release.lineage = lineage(template) { ($0.made, $0.number) < (revision.made, revision.number) }
        }
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
        let wanted = environment?.applied(to: revision.template) ?? revision.template
        if wanted.isSame(as: snapshot.template) { return Candidate(release, routes: [route(to: image)]) }
        let named = Set((environment?.desired.values ?? [:]).keys)
        let returning = wanted.returning(instead: snapshot.template, container: snapshot.container, besides: named)
        let cautions = returning.isEmpty ? [] : ["comes back with revision \(revision.number): \(returning.joined(separator: "; "))"]
        let token = token(.undo(revision: revision.name, uid: revision.uid, number: revision.number))
        let more = accompaniment(of: revision)
        return Candidate(
            release,
            routes: [
                Route(
                    .undo, means: "rollout undo to revision \(revision.number)" + (more.words.map { " with \($0) on top" } ?? ""),
                    class: .minutes, token: token.text, part: more.part, isIdempotent: true,
                    cautions: snapshot.takeover + cautions + more.cautions, refusal: more.refusal)
            ])
    }

    private func token(_ way: RouteToken.Way) -> RouteToken {
        RouteToken(
            way, container: snapshot.container, uid: snapshot.object["metadata"]?["uid"]?.string ?? "",
            fingerprint: snapshot.template.fingerprint, takesOwnership: request.takeOwnership, environment: environment?.marks ?? [])
    }

    /// The way to an image with the rest of the template as it is now, but for the desired environment.
    func route(to image: ImageReference, cautions: [String] = []) -> Route {
        let more = accompaniment(of: snapshot.template)
        let means: String
        switch (more.words, image == snapshot.image) {
        case (nil, true) where stoppedReplicas != nil: means = "scale to \(counted(stoppedReplicas ?? 1, "replica")) again"
        case (nil, true) where more.part.flatMap({ ConfigurationObject($0) }) != nil:
            means = "make what the environment refers to again"
        case (nil, _): means = "server-side apply of \(image)"
        case (let words?, true): means = "\(words), then one rollout"
        case (let words?, false): means = "\(words) and \(image), then one rollout"
        }
        return Route(
            .redeploy, means: means, class: .minutes, token: token(.apply(image: image.description)).text, part: more.part,
            isIdempotent: true, cautions: (image == snapshot.image ? [] : snapshot.takeover) + more.cautions + cautions,
            refusal: more.refusal)
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
        if let object = intent.route.part.flatMap({ ConfigurationObject($0) }) {
            switch objects[object] {
            case .found: return .tookEffect
            case .unreadable(let problem): return .undecided(problem.message)
            // An object that is made late disturbs nobody, and making it again finds it.
            case .missing, nil: return .void
            }
        }
        // Every patch of a release brings the replicas of a stopped workload back: this one did not come.
        guard stoppedReplicas == nil, declared.matches(intent.resolution) else { return .void }
        // Of a way that only sets variables, the release tells nothing.
        if let environment, RouteToken(intent.route.token)?.environment.isEmpty == false,
            !environment.applied(to: snapshot.template).isSame(as: snapshot.template)
        {
            return .void
        }
        return .tookEffect
    }
}
