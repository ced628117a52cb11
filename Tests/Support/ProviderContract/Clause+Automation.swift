import HTTPCore
import Model
import ProviderKit
import Simulators

extension Clause {
    /// What a provider promises whose automation has a switch. For fixtures in whose worlds it is on.
    public static let automation: [Clause] = [
        Clause("an automation that is on is told, with what switches it off") { world in
            let automation = try await world.automation()
            try require(automation.isOn, "it is \(automation)")
            try require(automation.off != nil && automation.off != automation.value, "it is \(automation)")
        },
        Clause("switching the automation off is one write that is seen, and twice is as good as once") { world in
            let before = await world.observe()
            let raise = try await world.raise()
            for _ in 1...2 {
                let writes = world.writes
                try require(await world.turn(raise).isTaken, "it was not taken")
                try require(world.writes - writes <= 1, "\(world.writes - writes) writes were sent")
                let automation = try await world.automation()
                try require(!automation.isOn && automation.value == raise.to, "it is \(automation)")
            }
            let after = await world.observe()
            try require(after.live == before.live && after.settlement == .settled, "what runs became \(after.live), \(after.settlement)")
        },
        Clause("an automation that is switched back has the value that it had") { world in
            let before = try await world.automation()
            let raise = try await world.raise()
            _ = await world.turn(raise)
            try require(
                await world.turn(FenceChange(.lower, name: raise.name, from: raise.to, to: raise.from)).isTaken, "it was not taken")
            let after = try await world.automation()
            try require(after.value == before.value && after.isOn == before.isOn, "it was \(before) and is \(after)")
        },
        Clause("a switch whose answer was lost is an unknown outcome, and found by reading") { world in
            let raise = try await world.raise()
            world.inject(Fault.writing(.dropAfter))
            let result = await world.turn(raise)
            guard case .unknown = result else { throw Violation("a lost answer gave \(result)") }
            world.transport.faults.removeAll()
            let automation = try await world.automation()
            try require(!automation.isOn, "it is \(automation)")
        },
        Clause("a switch that is refused or throttled is without effect, sent once, and says what to do or how long to wait") { world in
            let raise = try await world.raise()
            for status in [401, 403, 429] {
                world.inject(Fault.writing(.answer(status: status, headers: ["Retry-After": "7"], body: #"{"message":"no"}"#)))
                let before = world.writes
                switch await world.turn(raise) {
                case .refused(let problem) where status != 429: try require(problem.next != nil, "no word of what to do next: \(problem)")
                case .throttled(let problem) where status == 429: try require(problem.retryAfter == .seconds(7), "\(problem)")
                case let result: throw Violation("\(status) gave \(result)")
                }
                world.transport.faults.removeAll()
                try require(world.writes - before == 1, "\(world.writes - before) writes were sent")
                try require(try await world.automation().isOn, "it is off")
            }
        },
        Clause("the token appears in nothing that is said of a switch, though the vendor repeats it") { world in
            let raise = try await world.raise()
            for status in [400, 401, 403, 404, 409, 422, 429, 500] {
                world.inject(
                    Fault.writing(
                        .answer(
                            status: status, headers: ["X-Request-Id": world.token],
                            body: #"{"error":{"code":"\#(world.token)","message":"the token \#(world.token) is not welcome"}}"#)))
                let said = "\(await world.turn(raise))"
                world.transport.faults.removeAll()
                try require(!said.contains(world.token), "the token appears in \(said)")
            }
        },
    ]
}

extension ContractWorld {
    fileprivate func automation() async throws(Violation) -> Automation {
        let observation = await observe()
        guard let automation = observation.automation else { throw Violation("no automation is told: \(observation)") }
        return automation
    }

    /// The fence that a plan would put up.
    fileprivate func raise() async throws(Violation) -> FenceChange {
        let automation = try await automation()
        guard let off = automation.off else { throw Violation("there is no switch: \(automation)") }
        return FenceChange(.raise, name: automation.name, from: automation.value, to: off)
    }

    fileprivate func turn(_ change: FenceChange) async -> ApplyResult {
        let intent = Intent(
            id: "01J0000000000000000000SWITCH", resource: component.id,
            route: Route(.redeploy, means: "switch \(change.name)", class: .instant, token: "", isIdempotent: true),
            resolution: Resolution(
                pin: component.release, identity: ArtifactIdentity(.deployment, ""), label: "", revision: Self.revision),
            providerTime: nil, written: Timestamp(millisecondsSinceEpoch: clock.milliseconds))
        return await provider.setAutomation(
            change, of: component.target, ApplyRequest(component: component.name, intent: intent, revision: Self.revision))
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
