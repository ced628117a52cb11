import HTTPCore
import Model
import ProviderKit
import Simulators

extension Clause {
    /// What a provider promises that can stop a component. For fixtures whose component runs something.
    public static let stopping: [Clause] = [
        Clause("what runs and can be stopped says how") { world in
            let (means, memory) = try await world.possible()
            try require(!means.isEmpty && !memory.isEmpty, "means '\(means)', memory '\(memory)'")
        },
        Clause("a stop ends everything that runs, and twice is as good as once") { world in
            let before = await world.observe()
            let stop = try await world.makeStop()
            for _ in 1...2 {
                try require(await world.stop(stop).isTaken, "it was not taken")
                world.clock.advance(by: world.settling)
                let observation = await world.observe(stop: stop)
                guard case .stopped = observation.stoppage else { throw Violation("it is \(String(describing: observation.stoppage))") }
                try require(observation.live.serving.isEmpty, "still serving \(observation.live.serving.map(\.label))")
                try require(observation.live.declared == before.live.declared, "declared is \(observation.live)")
                try require(
                    observation.settlement.isProgressing, "neither settled nor unknown nor failed, and told as \(observation.settlement)")
                try require(observation.blocker == nil, "it is blocked: \(String(describing: observation.blocker))")
            }
        },
        Clause("a stop that is asked for and not done yet is neither possible nor done") { world in
            let stop = try await world.makeStop()
            _ = await world.stop(stop)
            let observation = await world.observe(stop: stop)
            switch observation.stoppage {
            case .stopped: try require(observation.live.serving.isEmpty, "stopped, and still serving")
            case .stopping(let words, _): try require(!words.isEmpty, "it does not say what still runs")
            case let other: throw Violation("right afterwards it is \(String(describing: other))")
            }
        },
        Clause("a stop whose answer was lost is an unknown outcome, and asking again ends in the same") { world in
            let stop = try await world.makeStop()
            world.inject(Fault.writing(.dropAfter))
            let result = await world.stop(stop)
            guard case .unknown = result else { throw Violation("a lost answer gave \(result)") }
            world.transport.faults.removeAll()
            world.clock.advance(by: world.settling)
            try require(await world.stop(stop).isTaken, "the second one was not taken")
            world.clock.advance(by: world.settling)
            let observation = await world.observe(stop: stop)
            guard case .stopped = observation.stoppage else { throw Violation("it is \(String(describing: observation.stoppage))") }
        },
        Clause("a stop that is refused or throttled is without effect, and says what to do or how long to wait") { world in
            let stop = try await world.makeStop()
            for status in [401, 403, 429] {
                world.inject(Fault.writing(.answer(status: status, headers: ["Retry-After": "7"], body: #"{"message":"no"}"#)))
                switch await world.stop(stop) {
                case .refused(let problem) where status != 429: try require(problem.next != nil, "no word of what to do next: \(problem)")
                case .throttled(let problem) where status == 429: try require(problem.retryAfter == .seconds(7), "\(problem)")
                case let result: throw Violation("\(status) gave \(result)")
                }
                world.transport.faults.removeAll()
                world.clock.advance(by: world.settling)
                _ = try await world.possible()
            }
        },
        Clause("the pinned release comes back as much as there was, and nothing says any more that it was stopped") { world in
            let before = try await world.possible()
            let stop = try await world.makeStop()
            _ = await world.stop(stop)
            world.clock.advance(by: world.settling)
            let resolution = try world.resolution(in: await world.observe(stop: stop))
            try await world.walk(to: resolution, stop) { observation throws(Violation) in
                try world.change(after: observation).change
            }
            let after = try await world.possible()
            try require(after.means == before.means, "it was '\(before.means)' and is '\(after.means)'")
        },
        Clause("what was stopped can be started again as it was, without a change of release") { world in
            let before = await world.observe()
            let possible = try await world.possible()
            let stop = try await world.makeStop()
            _ = await world.stop(stop)
            world.clock.advance(by: world.settling)
            guard let declared = before.live.declared, let name = declared.names.first else { throw Violation("nothing is declared") }
            let resolution = Resolution(
                pin: .name(name.value), identity: name.denotes, label: declared.label, revision: ContractWorld.revision)
            try await world.walk(to: resolution, stop) { observation throws(Violation) in
                guard let start = observation.stoppage?.start else { throw Violation("no way leads back: \(observation.settlement)") }
                return ReleaseChange(from: declared, to: declared, resolution: resolution, route: start)
            }
            let after = try await world.possible()
            try require(after.means == possible.means, "it was '\(possible.means)' and is '\(after.means)'")
        },
        Clause("the token appears in nothing that is said of a stop, though the vendor repeats it") { world in
            let stop = try await world.makeStop()
            var said = ["\(stop)"]
            for status in [400, 401, 403, 404, 409, 422, 429, 500] {
                world.inject(
                    Fault.writing(
                        .answer(
                            status: status, headers: [:], body: #"{"message":"the token \#(world.token) is not welcome"}"#)))
                said.append("\(await world.stop(stop))")
                world.transport.faults.removeAll()
            }
            try require(said.allSatisfy { !$0.contains(world.token) }, "the token appears in \(said)")
        },
    ]
}

extension ContractWorld {
    /// Stops the component and brings its pinned release back, so that the requests of it are seen.
    public func stopAndComeBack() async throws {
        let stop = try await makeStop()
        guard await self.stop(stop).isTaken else { throw Violation("the stop was not taken") }
        clock.advance(by: settling)
        let resolution = try resolution(in: await observe(stop: stop))
        try await walk(to: resolution, stop) { observation throws(Violation) in try change(after: observation).change }
    }

    fileprivate func possible() async throws(Violation) -> (means: String, memory: String) {
        let observation = await observe()
        guard case .possible(let means, let memory, _) = observation.stoppage else {
            throw Violation("it is \(String(describing: observation.stoppage))")
        }
        return (means, memory)
    }

    fileprivate func makeStop() async throws(Violation) -> Stop {
        let (means, memory) = try await possible()
        return Stop(memory: memory, means: means, target: component.target.text, provider: component.target.provider)
    }

    fileprivate func stop(_ stop: Stop) async -> ApplyResult {
        let route = Route(.redeploy, means: stop.means, class: .downtime, token: "", isIdempotent: true)
        let intent = Intent(
            id: "01J0000000000000000000000STOP", resource: component.id, route: route,
            resolution: Resolution(
                pin: component.release, identity: ArtifactIdentity(.deployment, ""), label: "", revision: Self.revision),
            providerTime: Timestamp(millisecondsSinceEpoch: clock.milliseconds),
            written: Timestamp(millisecondsSinceEpoch: clock.milliseconds))
        return await provider.stop(
            component, as: stop, ApplyRequest(component: component.name, intent: intent, revision: Self.revision, stop: stop))
    }

    /// Sends one part after the other, as a pass does, until the release is there and settled.
    fileprivate func walk(
        to resolution: Resolution, _ stop: Stop, _ change: (Observation) throws(Violation) -> ReleaseChange
    ) async throws(Violation) {
        var seen: [String] = []
        for number in 1...12 {
            let observation = await observe(resolution: resolution, stop: stop)
            if observation.stoppage?.start == nil, observation.live.declared?.matches(resolution) == true {
                try require(observation.settlement == .settled, "the settlement is \(observation.settlement)")
                try require(
                    observation.live.serving.allSatisfy { $0.matches(resolution) } && !observation.live.serving.isEmpty,
                    "serving is \(observation.live.serving.map(\.label))")
                return
            }
            let others = observation.live.serving.filter { !$0.matches(resolution) }
            try require(others.isEmpty, "on the way, \(others.map(\.label)) can run")
            let next = try change(observation)
            let intent = Intent(
                id: "01J00000000000000000000WALK\(number)", resource: component.id, route: next.route, resolution: resolution,
                providerTime: observation.providerTime, written: Timestamp(millisecondsSinceEpoch: clock.milliseconds))
            let answer = await apply(next, intent, stop: stop)
            guard case .accepted = answer else { throw Violation("part \(next.route.part ?? "none") gave \(answer)") }
            clock.advance(by: settling)
            let fate = await observe(resolution: resolution, intent: intent, stop: stop).fate
            try require(fate == .tookEffect, "the fate of \(next.route.part ?? "the write") is \(String(describing: fate))")
            seen.append(next.route.part ?? "the write")
        }
        throw Violation("it did not arrive: \(seen)")
    }
}

extension ApplyResult {
    fileprivate var isTaken: Bool {
        switch self {
        case .accepted, .alreadySo: true
        case .refused, .throttled, .unknown: false
        }
    }
}
