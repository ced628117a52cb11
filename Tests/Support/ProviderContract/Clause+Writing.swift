import HTTPCore
import Model
import ProviderKit
import Simulators

extension Clause {
    static let writing: [Clause] = [
        Clause("a write is one request, and accepted is not finished") { world in
            let (change, intent) = try world.change(after: await world.observe())
            let result = await world.apply(change, intent)
            guard case .accepted = result else { throw Violation("the write gave \(result)") }
            try require(world.writes == 1, "\(world.writes) writes were sent")
            let observation = await world.observe(resolution: change.resolution, intent: intent)
            try require(
                observation.settlement.isProgressing || observation.operation != nil,
                "right after the write: \(observation.settlement), operation \(String(describing: observation.operation))")
            try require(
                observation.fate == .inFlight || observation.fate == .tookEffect, "the fate is \(String(describing: observation.fate))")
        },
        Clause("a release that arrived is declared, settled and the pin's own") { world in
            let (change, intent) = try world.change(after: await world.observe())
            _ = await world.apply(change, intent)
            world.clock.advance(by: world.settling)
            let observation = await world.observe(resolution: change.resolution)
            try require(
                observation.live.declared?.matches(change.resolution) == true,
                "declared is \(observation.live), pinned was \(change.resolution)")
            try require(
                observation.live.serving.allSatisfy { $0.matches(change.resolution) }, "still serving \(observation.live.serving)")
            try require(observation.settlement == .settled, "the settlement is \(observation.settlement)")
            try require(observation.operation == nil, "still under way: \(String(describing: observation.operation))")
        },
        Clause("going where one already is has no second effect") { world in
            let (change, intent) = try world.change(after: await world.observe())
            _ = await world.apply(change, intent)
            world.clock.advance(by: world.settling)
            let result = await world.apply(change, intent)
            switch result {
            case .alreadySo, .accepted: break
            case .refused, .throttled, .unknown: throw Violation("the second write gave \(result)")
            }
            world.clock.advance(by: world.settling)
            let observation = await world.observe(resolution: change.resolution)
            try require(observation.live.declared?.matches(change.resolution) == true, "declared is \(observation.live)")
            let effects = await world.effects()
            try require(effects == 1, "\(effects) effects")
        },
        Clause("a throttled write is without effect, sent once, and hands on how long to wait") { world in
            let (change, intent) = try world.change(after: await world.observe())
            for (headers, wait) in [(["Retry-After": "7"] as HTTPHeaders, Duration.seconds(7)), ([:], nil)] {
                world.inject(
                    Fault.writing(
                        .answer(status: 429, headers: headers, body: #"{"error":{"code":"rate_limited","message":"slow down"}}"#)))
                let before = world.writes
                let result = await world.apply(change, intent)
                guard case .throttled(let problem) = result else { throw Violation("429 gave \(result)") }
                try require(wait == nil || problem.retryAfter == wait, "the wait is \(String(describing: problem.retryAfter))")
                try require(world.writes - before == 1, "\(world.writes - before) writes were sent")
            }
            let effects = await world.effects()
            try require(effects == 0, "\(effects) effects")
        },
        Clause("a write that the provider refuses is refused, with what to do next, and not sent again") { world in
            let (change, intent) = try world.change(after: await world.observe())
            for status in [401, 403] {
                world.inject(Fault.writing(.answer(status: status, headers: [:], body: #"{"message":"Not authorized"}"#)))
                let before = world.writes
                let result = await world.apply(change, intent)
                guard case .refused(let problem) = result else { throw Violation("\(status) gave \(result)") }
                try require(problem.next != nil, "no word of what to do next: \(problem)")
                try require(world.writes - before == 1, "\(world.writes - before) writes were sent")
            }
        },
    ]

    static let lostAnswers: [Clause] = [
        Clause("a lost answer is an unknown outcome; its effect is found by reading, and there is one") { world in
            let (change, intent) = try world.change(after: await world.observe())
            world.inject(Fault.writing(.dropAfter))
            let result = await world.apply(change, intent)
            guard case .unknown = result else { throw Violation("a lost answer gave \(result)") }
            let soon = await world.observe(resolution: change.resolution, intent: intent).fate
            try require(soon == .inFlight || soon == .tookEffect, "right afterwards the fate is \(String(describing: soon))")
            world.clock.advance(by: world.settling)
            let late = await world.observe(resolution: change.resolution, intent: intent)
            try require(late.fate == .tookEffect, "in the end the fate is \(String(describing: late.fate))")
            try require(late.live.declared?.matches(change.resolution) == true, "declared is \(late.live)")
            let effects = await world.effects()
            try require(effects == 1, "\(effects) effects")
        },
        Clause("a request that never arrived is undecided until the visibility bound has passed, then void") { world in
            let (change, intent) = try world.change(after: await world.observe())
            world.inject(Fault.writing(.dropBefore))
            let result = await world.apply(change, intent)
            guard case .unknown = result else { throw Violation("a dropped request gave \(result)") }
            let soon = await world.observe(resolution: change.resolution, intent: intent).fate
            try require(
                soon?.isUndecided == true || (change.route.isIdempotent && soon == .void),
                "right afterwards the fate is \(String(describing: soon))")
            world.clock.advance(by: world.visibility + .seconds(1))
            let late = await world.observe(resolution: change.resolution, intent: intent).fate
            try require(late == .void, "after the bound the fate is \(String(describing: late))")
            let effects = await world.effects()
            try require(effects == 0, "\(effects) effects")
        },
        Clause("a server error and a broken answer after a write are unknown outcomes") { world in
            let (change, intent) = try world.change(after: await world.observe())
            let kinds: [Fault.Kind] = [
                .answer(status: 500, headers: [:], body: #"{"error":{"message":"internal"}}"#),
                .answer(status: 503, headers: [:], body: "<html>Service Unavailable</html>"),
                .answer(status: 502, headers: [:], body: ""),
            ]
            for kind in kinds {
                world.inject(Fault.writing(kind))
                let before = world.writes
                let result = await world.apply(change, intent)
                guard case .unknown = result else { throw Violation("\(kind) gave \(result)") }
                try require(world.writes - before == 1, "\(world.writes - before) writes were sent")
            }
        },
        Clause("an unreadable world leaves the fate of a write undecided") { world in
            let (change, intent) = try world.change(after: await world.observe())
            world.inject(Fault.writing(.dropAfter))
            _ = await world.apply(change, intent)
            world.inject(Fault.reading(.answer(status: 503, headers: [:], body: "")))
            let fate = await world.observe(resolution: change.resolution, intent: intent).fate
            try require(fate == nil || fate?.isUndecided == true, "the fate is \(String(describing: fate))")
        },
    ]

    static let secrets: [Clause] = [
        Clause("the token appears in nothing that a provider says, though the vendor repeats it") { world in
            var said: [String] = []
            let first = await world.observe(depth: .history)
            said.append("\(first)")
            let (change, intent) = try world.change(after: first)
            said.append("\(change) \(intent)")
            for status in [400, 401, 403, 404, 409, 422, 429, 500] {
                let echo = Fault.Kind.answer(
                    status: status, headers: ["X-Request-Id": world.token],
                    body: #"{"error":{"code":"\#(world.token)","message":"the token \#(world.token) is not welcome"}}"#)
                world.inject([Fault(method: .get, echo)])
                said.append("\(await world.observe())")
                world.inject(Fault.writing(echo))
                said.append("\(await world.apply(change, intent))")
            }
            let loud = said.filter { $0.contains(world.token) }
            try require(loud.isEmpty, "the token appears in \(loud)")
            try require(!"\(world.provider)".contains(world.token), "the token appears in the provider's own description")
        }
    ]
}
