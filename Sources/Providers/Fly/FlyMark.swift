import Model

/// What Belay writes into the config of a machine that it updates, and finds its own updates by.
enum FlyMark {
    static let intent = "belay_intent"
    /// The version that the update replaced, and the digest of its image: the way back when a rollout fails half way.
    static let before = "belay_before"
    static let digestBefore = "belay_before_digest"
    /// The image that the update set, as `tag@digest`. A machine that runs another digest was updated by somebody else since, whose tools keep
    /// the marks that they do not know.
    static let image = "belay_image"
    /// On machines that Belay has stopped; see ``FlyMachine/StopMark``.
    static let stopped = "belay_stopped"
    static let releaseID = "fly_release_id"
    static let releaseVersion = "fly_release_version"
    /// How the leases of Belay describe themselves.
    static let lease = "belay"

    /// The mark of a secret that Belay has removed: no digest looks like it.
    static func removal(at time: Timestamp) -> String { "removed \(time)" }

    /// When it was removed; nil for any other mark.
    static func removal(_ mark: String) -> Timestamp? {
        mark.hasPrefix("removed ") ? Timestamp(String(mark.dropFirst("removed ".count))) : nil
    }
}
