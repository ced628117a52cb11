import Model
import ProviderKit

/// Which deploys an observation has to find: those that the pin may name, and those that it was found to mean before.
struct RenderQuestion: Sendable {
    /// Deploy ids.
    private(set) var ids: [String] = []
    /// Commits, whole or their first digits, in lower case.
    private(set) var commits: [String] = []
    /// Digests, with their `sha256:`.
    private(set) var digests: [String] = []
    /// An image as the pin writes it: a tag, a digest or a reference.
    private(set) var image: String?
    let resolution: Resolution?
    /// What Render has nothing of.
    private(set) var alien: ReleaseName?

    init(_ request: ObservationRequest) {
        // What another pin meant before says nothing of this one.
        resolution = request.resolution.flatMap { $0.pin == request.pin ? $0 : nil }
        switch request.pin {
        case .deployment(let text): ids.append(text)
        case .name(let text):
            if text.hasPrefix("dep-") {
                ids.append(text)
            } else {
                add(commit: text)
                image = text
            }
        case .commit(let text): add(commit: text)
        case .image(let text): image = text
        case .revision(let number):
            alien = ReleaseName(.revision, String(number), denotes: ArtifactIdentity(.template, String(number)))
        }
        if request.depth == .history { alien = nil }
        for identity in (resolution.map { [$0.identity] } ?? []) + (resolution?.lineage ?? []) {
            switch identity.kind {
            case .deployment where !ids.contains(identity.value) && ids.count < 3: ids.append(identity.value)
            case .commit where !commits.contains(where: identity.value.hasPrefix): add(commit: identity.value)
            case .image where !digests.contains(identity.value): digests.append(identity.value)
            default: break
            }
        }
    }

    /// The image reference that the pin writes; nil when it writes none.
    var reference: RenderImage? {
        guard let image, !RenderImage.isDigest(image) else { return nil }
        return RenderImage(image)
    }

    /// The digest that the pin names.
    var digest: String? {
        image.flatMap { RenderImage.isDigest($0) ? $0 : nil } ?? reference?.digest
    }

    /// True if the release is what is asked for.
    func isMet(by release: Release) -> Bool {
        if let resolution { return release.matches(resolution) }
        return release.names.contains { name in
            switch name.kind {
            case .deployment: ids.contains(name.value)
            case .image: name.value == image
            case .commit: commits.contains { name.value.hasPrefix($0) }
            case .revision: false
            }
        }
    }

    private mutating func add(commit text: String) {
        guard (7...64).contains(text.utf8.count), text.utf8.allSatisfy(\.isHexDigit) else { return }
        commits.append(text.lowercased())
    }
}
