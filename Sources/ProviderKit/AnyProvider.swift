public import Model

/// A provider behind one type, so that a pass can hold different ones.
public struct AnyProvider: Sendable {
    public let name: String
    private let observing: @Sendable (any Target, ObservationRequest) async -> Observation
    private let observingAll: @Sendable ([(any Target, ObservationRequest)]) async -> [Observation]
    private let applying: @Sendable (ReleaseChange, any Target, ApplyRequest) async -> ApplyResult
    private let switching: @Sendable (FenceChange, any Target, ApplyRequest) async -> ApplyResult
    private let stopping: @Sendable (Stop, any Target, ApplyRequest) async -> ApplyResult

    public init<P: Provider>(_ provider: P) {
        name = P.Target.provider
        let mismatch = { @Sendable (target: any Target) in
            Problem(
                "WrongTarget", "a target of \(target.provider) reached the provider \(P.Target.provider)",
                next: "report this as a bug of Belay")
        }
        observing = { target, request in
            guard let own = target as? P.Target else { return .unknown(mismatch(target)) }
            return await provider.observe(own, request)
        }
        observingAll = { questions in
            var observations = questions.map { Observation.unknown(mismatch($0.0)) }
            let own = questions.enumerated().compactMap { index, question in
                (question.0 as? P.Target).map { (index, ObservationQuestion($0, question.1)) }
            }
            for ((index, _), observation) in zip(own, await provider.observe(all: own.map(\.1))) { observations[index] = observation }
            return observations
        }
        applying = { change, target, request in
            guard let own = target as? P.Target else { return .refused(mismatch(target)) }
            return await provider.apply(change, to: own, request)
        }
        switching = { change, target, request in
            guard let own = target as? P.Target else { return .refused(mismatch(target)) }
            return await provider.setAutomation(change, of: own, request)
        }
        stopping = { stop, target, request in
            guard let own = target as? P.Target else { return .refused(mismatch(target)) }
            return await provider.stop(own, as: stop, request)
        }
    }

    /// See ``Provider/observe(_:_:)``.
    public func observe(_ component: Component, _ request: ObservationRequest) async -> Observation {
        let observation = await observing(component.target, request)
        return Redaction(request.configuration).map { $0(observation) } ?? observation
    }

    /// See ``Provider/observe(all:)``. One question is put as ``observe(_:_:)`` puts it.
    public func observe(all questions: [(component: Component, request: ObservationRequest)]) async -> [Observation] {
        if questions.count == 1 { return [await observe(questions[0].component, questions[0].request)] }
        let observations = await observingAll(questions.map { ($0.component.target, $0.request) })
        return zip(questions, observations).map { question, observation in
            Redaction(question.request.configuration).map { $0(observation) } ?? observation
        }
    }

    /// See ``Provider/apply(_:to:_:)``.
    public func apply(_ change: ReleaseChange, to component: Component, _ request: ApplyRequest) async -> ApplyResult {
        let result = await applying(change, component.target, request)
        return Redaction(request.configuration).map { $0(result) } ?? result
    }

    /// See ``Provider/setAutomation(_:of:_:)``.
    public func setAutomation(_ change: FenceChange, of target: any Target, _ request: ApplyRequest) async -> ApplyResult {
        await switching(change, target, request)
    }

    /// See ``Provider/stop(_:as:_:)``.
    public func stop(_ component: Component, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        await stopping(stop, component.target, request)
    }
}
