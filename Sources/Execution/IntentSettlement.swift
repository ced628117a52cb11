public import Model
public import State

/// The receipts that an observation gives to writes whose effect had not been seen: closed are those that took effect and those
/// that certainly did not. In the order of the resources.
public func settlements(of recorded: RecordedState, in world: World) -> [JournalEntry] {
    recorded.openIntents.sorted { $0.key < $1.key }.compactMap { resource, intent in
        switch world.components[resource]?.fate {
        case .tookEffect:
            .receipt(.init(intent, .tookEffect, configuration: world.components[resource].map(intent.written) ?? [:]))
        case .failed(let problem): .receipt(.init(intent, .failed, problem: problem))
        case .void: .receipt(.init(intent, .void))
        case .inFlight, .undecided, nil: nil
        }
    }
}

extension Intent {
    /// What it wrote of a configuration key, with the provider's mark of it as it is seen now, once it is known to have taken effect.
    func written(in observation: Observation) -> [String: ConfigurationEntry] {
        var written = observation.configuration?.learned ?? [:]
        if let key = route.key, let fingerprint, let marker = observation.configuration?.settings[key]?.marker {
            written[key] = ConfigurationEntry(fingerprint: fingerprint, marker: marker)
        }
        return written
    }
}

/// Closes the writes to targets that the components had before: nobody can be asked for their fate any more, and nothing waits for it.
public func abandonments(of recorded: RecordedState, by system: System) -> [JournalEntry] {
    system.components.compactMap { component in
        guard let intent = recorded.openIntents[component.id], recorded.openIntent(of: component) == nil else { return nil }
        let problem = Problem(
            "TargetChanged", "\(component.id): its target has changed since this was sent to \(intent.resolution.scope ?? "")")
        return .receipt(.init(intent, .void, problem: problem))
    }
}

extension StateSession {
    /// Lets go of what an earlier target of a component was sent. Returns what is then recorded.
    public func abandonIntents(by system: System, at time: Timestamp) async throws(StateError) -> RecordedState {
        for entry in abandonments(of: await state, by: system) { try await append(entry, at: time) }
        return await state
    }

    /// Writes down what an observation says of open intents, before anything is planned on it. Returns what is then recorded.
    public func settleIntents(in world: World, at time: Timestamp) async throws(StateError) -> RecordedState {
        for entry in settlements(of: await state, in: world) { try await append(entry, at: time) }
        return await state
    }
}
