/// What Belay writes into the config of a machine that it updates, and finds its own updates by.
enum FlyMark {
    static let intent = "belay_intent"
    /// The version that the update replaced, and the digest of its image: the way back when a rollout fails half way.
    static let before = "belay_before"
    static let digestBefore = "belay_before_digest"
    static let releaseID = "fly_release_id"
    static let releaseVersion = "fly_release_version"
    /// How the leases of Belay describe themselves.
    static let lease = "belay"
}
