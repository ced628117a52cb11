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

extension Array {
    /// What `observe` says of each element, all asked at once, in their order.
    public func observations<Target>(
        _ observe: @escaping @Sendable (ObservationQuestion<Target>) async -> Observation
    ) async -> [Observation] where Element == ObservationQuestion<Target> {
        await withTaskGroup(of: (Int, Observation).self) { group in
            for (index, question) in enumerated() { group.addTask { (index, await observe(question)) } }
            var observations: [Observation?] = .init(repeating: nil, count: count)
            for await (index, observation) in group { observations[index] = observation }
            return observations.compactMap(\.self)
        }
    }
}
