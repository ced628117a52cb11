public import Model
public import State

/// The receipts that an observation gives to writes whose effect had not been seen: closed are those that took effect and those
/// that certainly did not. In the order of the resources.
public func settlements(of recorded: RecordedState, in world: World) -> [JournalEntry] {
    recorded.openIntents.sorted { $0.key < $1.key }.compactMap { resource, intent in
        switch world.components[resource]?.fate {
        case .tookEffect: .receipt(.init(intent, .tookEffect))
        case .void: .receipt(.init(intent, .void))
        case .inFlight, .undecided, nil: nil
        }
    }
}

extension StateSession {
    /// Writes down what an observation says of open intents, before anything is planned on it. Returns what is then recorded.
    public func settleIntents(in world: World, at time: Timestamp) async throws(StateError) -> RecordedState {
        for entry in settlements(of: await state, in: world) { try await append(entry, at: time) }
        return await state
    }
}
