import HTTPCore
import Model
import ProviderKit
import Simulators

extension Clause {
    static let reading: [Clause] = [
        Clause("observing changes nothing and sends no write") { world in
            let before = await world.simulator.world
            _ = await world.observe()
            _ = await world.observe(depth: .history)
            let after = await world.simulator.world
            try require(before == after, "the simulator's world changed")
            try require(world.writes == 0, "\(world.writes) writes were sent")
        },
        Clause("observing twice says the same") { world in
            let first = await world.observe()
            let second = await world.observe()
            try require(first == second, "first \(first), then \(second)")
        },
        Clause("an unchanged component is observed within its budget of requests") { world in
            let before = world.transport.received.count
            _ = await world.observe()
            let cost = world.transport.received.count - before
            try require(cost <= world.budget, "it took \(cost) requests instead of \(world.budget)")
        },
        Clause("what is live is known, settled, and among the candidates of the history") { world in
            let observation = await world.observe(depth: .history)
            guard let declared = observation.live.declared else { throw Violation("live is \(observation.live)") }
            try require(observation.settlement == .settled, "the settlement is \(observation.settlement)")
            try require(
                observation.candidates.contains { !$0.release.identities.isDisjoint(with: declared.identities) },
                "\(declared.label) is not among \(observation.candidates.map(\.release.label))")
        },
        Clause("the pin's release is a candidate with a way to it") { world in
            _ = try world.change(after: await world.observe())
        },
        Clause("a pin that nobody knows leaves what is live known") { world in
            var component = world.component
            component.release = .name("no-such-release")
            let observation = await world.observe(component)
            try require(observation.live.declared != nil, "live is \(observation.live)")
            try require(
                !observation.candidates.contains { $0.release.names.contains { $0.value == "no-such-release" } }, "a candidate was made up")
        },
        Clause("a target that does not exist is unknown or blocked, with what to do next; never nothing") { world in
            let observation = await world.observe(world.missing)
            guard let problem = observation.live.problem ?? observation.blocker else { throw Violation("live is \(observation.live)") }
            try require(problem.next != nil, "no word of what to do next: \(problem)")
        },
        Clause("a provider that is down is unknown, never healthy and never nothing") { world in
            world.inject(Fault.reading(.answer(status: 503, headers: [:], body: "<html>Service Unavailable</html>")))
            let observation = await world.observe()
            try require(observation.live.problem != nil, "live is \(observation.live)")
            try require(observation.settlement.isUnknown, "the settlement is \(observation.settlement)")
        },
        Clause("an answer that breaks off or makes no sense is unknown") { world in
            for body in ["", "{", "{}", "[]", "null", "\"ok\"", "<html></html>", #"{"id":7,"items":{},"deployments":"none"}"#] {
                world.inject([Fault(method: .get, .answer(status: 200, headers: [:], body: body), times: 1)])
                let observation = await world.observe()
                try require(
                    observation.live.problem != nil && observation.settlement.isUnknown,
                    "a reading answered with «\(body)» gave \(observation.live), \(observation.settlement)")
            }
        },
        Clause("a throttled reading is unknown and hands on how long to wait") { world in
            world.inject(
                Fault.reading(
                    .answer(status: 429, headers: ["Retry-After": "7"], body: #"{"error":{"code":"rate_limited","message":"slow down"}}"#)))
            let observation = await world.observe()
            try require(observation.live.problem?.retryAfter == .seconds(7), "live is \(observation.live)")
        },
        Clause("a refused token is unknown, with what to check") { world in
            for status in [401, 403] {
                world.inject(Fault.reading(.answer(status: status, headers: [:], body: #"{"message":"Not authorized"}"#)))
                let problem = await world.observe().live.problem
                world.transport.faults.removeAll()
                try require(problem?.next != nil, "\(status) gave \(problem.map(\.description) ?? "no problem")")
            }
        },
    ]
}
