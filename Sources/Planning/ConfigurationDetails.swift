import Model

extension ReleaseChange {
    /// True if the release stays, and only its configuration changes.
    var isReconfiguration: Bool { from == to }
}

extension Subject {
    private var differences: [ConfigurationDifference] { observation.configuration?.differences ?? [] }

    /// `API_URL and SENTRY_DSN`, for a summary.
    var differingKeys: String {
        let keys = differences.map(\.key)
        guard keys.count > 3 else { return keys.joined(separator: ", ") }
        return "\(keys.count) configuration keys"
    }

    /// A line for each key that differs from what the spec says; never a value.
    var configurationDetails: [String] {
        differences.map { difference in
            switch difference.kind {
            case .missing: "configuration: \(difference.key) is added"
            case .changed: "configuration: \(difference.key) is changed"
            case .extra: "configuration: \(difference.key) is removed, because the spec does not name it"
            case .unverified: "configuration: \(difference.key) cannot be read back and is set once"
            case .notApplied: "configuration: \(difference.key) is set, and takes effect"
            }
        }
    }
}

extension Survey {
    /// What is set otherwise than when the pinned release was recorded, of the keys that the spec does not name.
    func differencesFromRecord(of subject: Subject) -> [String] {
        guard let settings = subject.observation.configuration?.settings, let resolution = subject.resolution,
            let record = recorded.releases[subject.id]?.last(where: { $0.resolution.isSameArtifact(as: resolution) }),
            let then = record.configuration
        else { return [] }
        let named = subject.component.configuration.sources
        var lines: [String] = []
        for key in Set(then.keys).union(settings.keys).sorted() where named[key] == nil {
            switch (then[key], settings[key]) {
            case (.some, nil): lines.append("\(key) has been removed since \(record.resolution.label) was recorded")
            case (nil, .some): lines.append("\(key) has been added since \(record.resolution.label) was recorded")
            case (let old?, let new?) where old.isSame(as: new) == false:
                lines.append("\(key) has been changed since \(record.resolution.label) was recorded")
            case (.some, .some), (nil, nil): break
            }
        }
        guard !lines.isEmpty, !subject.component.configuration.restores else { return [] }
        return lines.map { "configuration: \($0); it stays as it is" }
    }
}
