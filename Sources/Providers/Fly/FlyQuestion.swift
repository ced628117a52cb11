import Model
import ProviderKit

/// Which release an observation has to find.
struct FlyQuestion: Sendable {
    private let pin: Pin
    /// What another pin meant before says nothing of this one.
    let resolution: Resolution?

    init(_ request: ObservationRequest) {
        pin = request.pin
        resolution = request.resolution.flatMap { $0.pin == request.pin ? $0 : nil }
    }

    /// True if the pin may be one of the release's names.
    func isNamed(version: Int?, image: FlyImage?) -> Bool {
        let text: String
        switch pin {
        case .name(let name): text = name
        case .deployment(let name): return version.map { "v\($0)" == name } ?? false
        case .image(let name): return image.map { $0.names.contains(name) } ?? false
        case .commit, .revision: return false
        }
        return version.map { "v\($0)" == text } ?? false || image.map { $0.names.contains(text) } ?? false
    }

    /// True if the digest is what the pin was found to mean.
    func isResolved(_ digest: String) -> Bool {
        guard let resolution else { return false }
        let identity = ArtifactIdentity(.image, digest)
        return resolution.identity == identity || resolution.lineage.contains(identity)
    }

    /// The digest that the pin was found to mean; nil when it was not.
    var resolvedDigest: String? { resolution.flatMap { $0.identity.kind == .image ? $0.identity.value : nil } }

    /// The image that the pin names without a release's number: by digest, by tag, or whole.
    func image(in repository: String) -> FlyImage? {
        let text: String
        switch pin {
        case .name(let name), .image(let name): text = name
        case .deployment, .commit, .revision: return nil
        }
        if text.hasPrefix("sha256:") { return FlyImage(repository: repository, digest: text) }
        if text.contains("/") {
            guard let image = FlyImage(text), image.repository == repository, image.tag != nil || image.digest != nil else { return nil }
            return image
        }
        // A release's number is no tag.
        if text.hasPrefix("v"), Int(text.dropFirst()) != nil, case .name = pin { return nil }
        guard text.utf8.count <= 128, text.utf8.allSatisfy(\.isTag) else { return nil }
        return FlyImage(repository: repository, tag: text)
    }
}

extension FlyImage {
    /// Everything that a pin may call it.
    var names: [String] {
        var names: [String] = []
        if let tag { names += [tag, "\(repository):\(tag)"] }
        if let digest { names += [digest, "\(repository)@\(digest)"] }
        if let tag, let digest { names.append("\(repository):\(tag)@\(digest)") }
        return names
    }
}

extension UInt8 {
    fileprivate var isTag: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == 0x2D || self == 0x2E
            || self == 0x5F
    }
}
