import Model

/// A JSON text that holds many flags: read, changed in places and written back as one.
protocol FlagDocument {
    func observation(of name: String) -> FlagObservation
    /// Sets one flag and touches nothing else.
    mutating func set(_ name: String, to setting: FlagSetting) throws(Problem)
}

extension FlagDocument {
    /// Makes all changes or throws; true if one was needed.
    mutating func make(_ changes: [FlagChange], in place: String) throws(Problem) -> Bool {
        var changed = self
        var isChanged = false
        for change in changes where try change.isNeeded(given: changed.observation(of: change.name), in: place) {
            try changed.set(change.name, to: change.to)
            isChanged = true
        }
        self = changed
        return isChanged
    }
}

extension FlagObservation {
    /// The same trouble with every flag.
    static func all(_ names: [String], _ problem: Problem) -> [String: FlagObservation] {
        Dictionary(names.map { ($0, FlagObservation(problem: problem)) }) { first, _ in first }
    }
}
