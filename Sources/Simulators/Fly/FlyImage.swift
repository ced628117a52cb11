import JSONValues

/// The name of an image, taken apart: `registry.fly.io/worker:deployment-01@sha256:…`.
struct FlyImageReference: Sendable, Equatable {
    static let registry = "registry.fly.io"

    var registry: String
    var repository: String
    var tag: String?
    var digest: String?

    /// - Returns: nil when it is no name of an image.
    init?(_ text: String) {
        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0].contains(".") || parts[0].contains(":") {
            (registry, repository) = (String(parts[0]), String(parts[1]))
        } else {
            (registry, repository) = ("registry-1.docker.io", parts.count == 2 ? String(rest) : "library/\(rest)")
        }
        guard !rest.isEmpty, !repository.isEmpty, tag?.isEmpty != true, digest.map({ $0.hasPrefix("sha256:") }) ?? true else { return nil }
    }
}

/// An image as the registry holds it.
struct FlyImage: Sendable {
    /// What becomes of a machine that is given the image.
    enum Fate: String, Sendable, CaseIterable {
        case runs
        /// Exits soon after each start.
        case crashes
        /// Runs and fails its checks.
        case unhealthy
        /// Cannot be pulled: the machine goes back to its version before.
        case unpullable
    }

    /// Nil once the tag has moved to another image.
    var tag: String?
    /// Of the manifest for linux/amd64: what a machine reports.
    var digest: String
    /// Of the index that holds the manifest; nil when the tag names the manifest itself.
    var index: String?
    var fate: Fate = .runs
    var isPruned = false

    /// What the registry says that the tag is.
    var tagged: String { index ?? digest }
}

/// The image of a machine, resolved.
struct FlyRunningImage: Sendable {
    var reference: FlyImageReference
    /// Of the manifest.
    var digest: String
    var fate: FlyImage.Fate

    /// `image_ref` of a machine.
    var json: JSON {
        .members([
            ("registry", .string(reference.registry)), ("repository", .string(reference.repository)),
            ("tag", reference.tag.map(JSON.string)),
            ("digest", .string(digest)), ("labels", [:]),
        ])
    }
}
