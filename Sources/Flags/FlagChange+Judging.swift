import Model

extension FlagChange {
    /// Whether the change is still to be made, given what the store holds now. Idempotent: what is as it shall be needs nothing, whoever made
    /// it so.
    ///
    /// - Throws: what stands in the way: an unusable setting, an entry that cannot be read, or one that is not what was planned with.
    func isNeeded(given current: FlagObservation, in place: String) throws(Problem) -> Bool {
        if let rollout = to.rollout, !(0...100).contains(rollout) {
            throw Problem(
                "RolloutInvalid", "\(place): a rollout of \(rollout) % was asked for \(name)", next: "give it a number from 0 to 100")
        }
        if let problem = current.problem { throw problem }
        if current.setting == to { return false }
        guard isUntouched(current) else {
            let now = current.setting.map { "it is \($0) now" } ?? "it is not there any more, or serves no value of its own"
            throw Problem(
                "FlagChanged", "\(place): \(name) was changed by somebody else since the plan was made: \(now); nothing was written",
                next: "run again: the next pass plans anew")
        }
        return true
    }

    /// True if the entry is the one that was planned with.
    private func isUntouched(_ current: FlagObservation) -> Bool {
        if let marker { return current.marker == marker }
        // Without a marker the setting must do.
        return from == nil ? current.marker == nil : current.setting == from
    }
}
