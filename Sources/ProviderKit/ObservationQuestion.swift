public import Model

/// What is asked of one of several components.
public struct ObservationQuestion<Target: Model.Target>: Sendable {
    public var target: Target
    public var request: ObservationRequest

    public init(_ target: Target, _ request: ObservationRequest) {
        self.target = target
        self.request = request
    }
}

extension ObservationQuestion {
    /// How many components of a system are observed at once on one provider: as many as requests are sent of one account. A component that
    /// waits for its turn would only take memory.
    public static var window: Int { AccountLimits.usual }
}

extension Array {
    /// What `observe` says of each element, many asked at once, in their order.
    public func observations<Target>(
        _ observe: @escaping @Sendable (ObservationQuestion<Target>) async -> Observation
    ) async -> [Observation] where Element == ObservationQuestion<Target> {
        var waiting = enumerated().makeIterator()
        return await withTaskGroup(of: (Int, Observation).self) { group in
            func begin(_ index: Int, _ question: ObservationQuestion<Target>) { group.addTask { (index, await observe(question)) } }
            for _ in 0..<Element.window { if let (index, question) = waiting.next() { begin(index, question) } }
            var observations: [Observation?] = .init(repeating: nil, count: count)
            for await (index, observation) in group {
                observations[index] = observation
                if let (index, question) = waiting.next() { begin(index, question) }
            }
            return observations.compactMap(\.self)
        }
    }
}
