import JSONValues
import Model

/// One deploy as the API tells of it. Everything but the id may be missing.
struct RenderDeploy: Sendable, Hashable {
    enum Stage: Hashable {
        /// On its way, or in a status that is not known; the vendor's word.
        case active(String)
        case live
        /// It was live, and another one took its place.
        case deactivated
        /// It ended before it was live; the vendor's word.
        case failed(String)
        case canceled
    }

    var id: String
    var stage: Stage
    /// `api`, `new_commit`, `rollback` …
    var trigger: String
    /// In lower case; nil while Render does not tell it.
    var commit: String?
    /// The first line of the commit's message, at most 100 characters of it.
    var message: String?
    var image: RenderImage?
    /// The digest that the image was resolved to, with its `sha256:`.
    var sha: String?
    var created: Timestamp?
    var finished: Timestamp?

    /// Nil when it has no id.
    init?(_ json: JSON?) {
        guard let json, let id = json["id"]?.string, !id.isEmpty else { return nil }
        self.id = id
        stage = Self.stage(json["status"]?.string ?? "unknown")
        trigger = json["trigger"]?.string ?? "other"
        commit = json["commit"]?["id"]?.string?.lowercased()
        message = json["commit"]?["message"]?.string.map { String($0.prefix(100).prefix { !$0.isNewline }) }
        image = json["image"]?["ref"]?.string.flatMap(RenderImage.init)
        sha = json["image"]?["sha"]?.string.map { $0.hasPrefix("sha256:") ? $0 : "sha256:\($0)" } ?? image?.digest
        created = json["createdAt"]?.string.flatMap(Timestamp.init)
        finished = json["finishedAt"]?.string.flatMap(Timestamp.init)
    }

    private static func stage(_ word: String) -> Stage {
        switch word {
        case "live": .live
        case "deactivated": .deactivated
        case "build_failed", "pre_deploy_failed", "update_failed": .failed(word)
        case "canceled": .canceled
        // Render adds words: one that is not known is on its way until the deadline.
        default: .active(word)
        }
    }

    var isUnderWay: Bool {
        guard case .active = stage else { return false }
        return true
    }

    var hasServed: Bool { stage == .live || stage == .deactivated }

    /// What the deploy runs: its commit, its image's digest, or itself where Render tells neither.
    var identity: ArtifactIdentity {
        if let sha { return ArtifactIdentity(.image, sha) }
        if let commit { return ArtifactIdentity(.commit, commit) }
        return ArtifactIdentity(.deployment, id)
    }

    /// For people: `3f2c1ab`, or the image's tag or the beginning of its digest.
    var version: String? {
        commit.map { String($0.prefix(7)) } ?? image?.tag ?? sha.map { String($0.prefix(19)) }
    }

    /// - Parameter lineage: what the deploy is known to be beyond what its answer tells.
    func release(lineage: [ArtifactIdentity] = [], as alias: String? = nil) -> Release {
        let identity = identity
        var names = [ReleaseName(.deployment, id, denotes: identity)]
        if let image {
            names.append(ReleaseName(.image, image.description, denotes: identity))
            if let tag = image.tag { names.append(ReleaseName(.image, tag, denotes: identity)) }
            if let alias, image.description != alias, image.tag != alias { names.append(ReleaseName(.image, alias, denotes: identity)) }
        }
        if let sha {
            names.append(ReleaseName(.image, sha, denotes: identity))
            if let image { names.append(ReleaseName(.image, "\(image.repository)@\(sha)", denotes: identity)) }
        }
        if let commit { names.append(ReleaseName(.commit, commit, denotes: ArtifactIdentity(.commit, commit))) }
        let own = ArtifactIdentity(.deployment, id)
        return Release(
            label: version.map { "\(id) (\($0))" } ?? id, names: names, lineage: (own == identity ? [] : [own]) + lineage, created: created,
            note: message)
    }
}
