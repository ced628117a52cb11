import Model

extension ReleaseChange {
    /// True if the release stays, and only its configuration changes.
    var isReconfiguration: Bool { from == to }
}

extension Subject {
    private var differences: [ConfigurationDifference] { observation.configuration?.differences ?? [] }

    /// `set API_URL and SENTRY_DSN, remove OLD`, for a summary.
    var configurationSummary: String {
        func words(_ verb: String, _ keys: [String]) -> String? {
            guard !keys.isEmpty else { return nil }
            return "\(verb) " + (keys.count > 3 ? "\(keys.count) keys" : keys.joined(separator: ", "))
        }
        return [
            words("set", differences.filter { $0.kind != .extra }.map(\.key)),
            words("remove", differences.filter { $0.kind == .extra }.map(\.key)),
        ].compactMap(\.self).joined(separator: ", ")
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
        guard !subject.component.configuration.bringsBack, let observed = subject.observation.configuration,
            let resolution = subject.resolution,
            let record = recorded.releases[subject.id]?.last(where: { $0.resolution.isSameArtifact(as: resolution) }),
            let then = record.configuration
        else { return [] }
        let now = observed.remembered(recorded.configurations[subject.id] ?? [:])
        let named = subject.component.configuration.sources
        // What the plan itself changes does not stay.
        let differing = Set(observed.differences.map(\.key))
        return configurationChanges(from: then, to: now).filter { named[$0.key] == nil && !differing.contains($0.key) }.map {
            "configuration: \($0.key) has been \($0.kind.rawValue) since \(record.resolution.label) was recorded; it stays as it is"
        }
    }
}
