import HTTPCore
import Model
import ProviderKit
import Simulators

extension Clause {
    /// What a provider promises that sets configuration. For fixtures whose worlds say what is set: ``ContractWorld/configuration``.
    public static let configuration: [Clause] = observedConfiguration + writtenConfiguration + lostKeys

    private static let observedConfiguration: [Clause] = [
        Clause("observing the configuration changes nothing and tells no value") { world in
            let configuration = try world.requireConfiguration()
            let before = await world.simulator.world
            var walk = Walk(world, configuration.desired())
            _ = await walk.observe()
            walk.desired.isExact = true
            _ = await walk.observe()
            let after = await world.simulator.world
            try require(before == after && world.writes == 0, "\(world.writes) writes were sent")
            try configuration.requireSilence(of: walk.said)
        },
        Clause("every key that people set is told, and no other") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, DesiredConfiguration())
            let settings = await walk.observe().configuration?.settings
            try require(
                settings.map { Set($0.keys) } == Set(configuration.present.map(\.key)),
                "set are \(configuration.present.map(\.key)), told are \(String(describing: settings?.keys.sorted()))")
            for (key, entry) in settings ?? [:] {
                try require(entry.fingerprint != nil || entry.marker != nil, "of \(key) there is neither fingerprint nor marker")
            }
        },
        Clause("only keys that the spec names differ, and one way leads to what is desired") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            let observed = await walk.observe().configuration
            let keys = Set(observed?.differences.map(\.key) ?? [])
            try require(keys == Set(configuration.wanted.map(\.key)), "the differences are \(String(describing: observed?.differences))")
            try require(observed?.route != nil && observed?.route?.refusal == nil, "the way is \(String(describing: observed?.route))")
        },
        Clause("what is set is told, and nothing differs, where nothing is managed and the pin is not in place") { world in
            let configuration = try world.requireConfiguration()
            let observed = await world.observe().configuration
            try require(
                observed.map { Set($0.settings.keys) } == Set(configuration.present.map(\.key)),
                "told is \(String(describing: observed?.settings.keys.sorted()))")
            try require(observed?.differences == [] && observed?.route == nil, "\(String(describing: observed))")
        },
        Clause("nothing differs where nothing is desired") { world in
            _ = try world.requireConfiguration()
            var walk = Walk(world, DesiredConfiguration())
            let observed = await walk.observe().configuration
            try require(observed?.differences == [] && observed?.route == nil, "\(String(describing: observed))")
        },
    ]

    private static let writtenConfiguration: [Clause] = [
        Clause("what is desired is set, each key once, what is not named is left alone, with one deployment in all") { world in
            let configuration = try world.requireConfiguration()
            let before = await configuration.deployments()
            var walk = Walk(world, configuration.desired())
            try await walk.walk()
            let missing = await configuration.differing(configuration.wanted)
            try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
            let touched = await configuration.differing(configuration.others)
            try require(touched.isEmpty, "\(touched) were changed, and nobody named them")
            let keys = walk.sent.compactMap(\.route.key)
            try require(Set(keys).count == keys.count, "keys were set twice: \(keys)")
            let deployments = await configuration.deployments() - before
            try require(deployments == 1, "\(deployments) deployments")
        },
        Clause("a change of release takes the configuration along, with one deployment in all") { world in
            let configuration = try world.requireConfiguration()
            let before = await configuration.deployments()
            let resolution = try world.resolution(in: await world.observe())
            var walk = Walk(world, configuration.desired(), to: resolution)
            try await walk.walk()
            let end = await walk.observe()
            try require(end.live.declared?.matches(resolution) == true, "declared is \(end.live)")
            let missing = await configuration.differing(configuration.wanted)
            try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
            let deployments = await configuration.deployments() - before
            try require(deployments == 1, "\(deployments) deployments")
        },
        Clause("a value that was set is known afterwards, also one that cannot be read back") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            try await walk.walk()
            let writes = world.writes
            let observed = await walk.observe().configuration
            try require(observed?.differences == [] && observed?.route == nil, "\(String(describing: observed))")
            for key in configuration.wanted.map(\.key) {
                guard let entry = observed?.settings[key] else { throw Violation("\(key) is not among the settings") }
                let isKnown = entry.fingerprint != nil || (entry.marker != nil && walk.known[key]?.marker == entry.marker)
                try require(isKnown, "nothing tells that \(key) is as desired: \(entry), remembered \(String(describing: walk.known[key]))")
            }
            try require(world.writes == writes, "something was written by observing")
        },
        Clause("somebody's change of a value is seen, also of one that cannot be read back, and undone by one way") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            try await walk.walk()
            for value in configuration.wanted {
                await configuration.setByHand(value.key, "somebody-else-\(value.key)")
                world.clock.advance(by: world.settling)
                let differences = await walk.observe().configuration?.differences
                try require(differences?.map(\.key) == [value.key], "after \(value.key): \(String(describing: differences))")
                try await walk.walk()
                let missing = await configuration.differing(configuration.wanted)
                try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
            }
        },
        Clause("with the policy exact, keys that are not named are removed, and only they") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired(isExact: true))
            try await walk.walk()
            let missing = await configuration.differing(configuration.wanted)
            try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
            let left = await configuration.differing(configuration.others)
            try require(left == configuration.others.map(\.key), "only \(left) were removed")
            let settings = await walk.observe().configuration?.settings.keys.sorted()
            try require(settings == configuration.wanted.map(\.key).sorted(), "set are \(String(describing: settings))")
        },
        Clause("no value appears in anything that a provider says, though the vendor repeats it") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            let observation = await walk.observe()
            guard let change = try walk.change(after: observation) else { throw Violation("there is nothing to write") }
            for value in configuration.wanted {
                for status in [400, 404, 409, 422, 429, 500] {
                    world.inject(
                        Fault.writing(
                            .answer(
                                status: status, headers: ["X-Request-Id": value.text],
                                body: #"{"error":{"code":"\#(value.text)","message":"the value \#(value.text) is not welcome"}}"#)))
                    if change.route.key == nil || change.route.key == value.key { _ = await walk.send(change, after: observation) }
                    world.transport.faults.removeAll()
                }
            }
            try await walk.walk()
            try configuration.requireSilence(of: walk.said)
        },
    ]

    private static let lostKeys: [Clause] = [
        Clause("a key's write whose answer was lost is found by reading, and not made again") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            guard let (change, observation) = try await walk.untilFirstKey() else { return }
            world.inject(Fault.writing(.dropAfter))
            let (intent, result) = await walk.send(change, after: observation)
            world.transport.faults.removeAll()
            guard case .unknown = result else { throw Violation("a lost answer gave \(result)") }
            let fate = try await walk.settle(intent)
            try require(fate == .tookEffect, "its fate is \(fate)")
            try await walk.walk()
            let keys = walk.sent.compactMap(\.route.key)
            try require(Set(keys).count == keys.count, "keys were set twice: \(keys)")
        },
        Clause("killed after every write, before its answer is written down, everything is set all the same, and each key once") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            walk.losesAnswers = true
            try await walk.walk()
            let missing = await configuration.differing(configuration.wanted)
            try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
            let keys = walk.sent.compactMap(\.route.key)
            try require(Set(keys).count == keys.count, "keys were set twice: \(keys)")
        },
        Clause("a key's write that is throttled or refused is without effect, and says how long to wait or what to do") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            guard let (change, observation) = try await walk.untilFirstKey() else { return }
            for status in [401, 403, 429] {
                world.inject(Fault.writing(.answer(status: status, headers: ["Retry-After": "7"], body: #"{"message":"no"}"#)))
                let (_, result) = await walk.send(change, after: observation)
                world.transport.faults.removeAll()
                switch result {
                case .refused(let problem) where status != 429: try require(problem.next != nil, "no word of what to do next: \(problem)")
                case .throttled(let problem) where status == 429: try require(problem.retryAfter == .seconds(7), "\(problem)")
                default: throw Violation("\(status) gave \(result)")
                }
            }
            let again = try walk.change(after: await walk.observe())
            try require(again?.route.key == change.route.key, "then \(String(describing: again?.route)) is next")
        },
        Clause("a key's write that never arrived is made again") { world in
            let configuration = try world.requireConfiguration()
            var walk = Walk(world, configuration.desired())
            guard let (change, observation) = try await walk.untilFirstKey() else { return }
            world.inject(Fault.writing(.dropBefore))
            let (intent, result) = await walk.send(change, after: observation)
            world.transport.faults.removeAll()
            guard case .unknown = result else { throw Violation("a dropped request gave \(result)") }
            let fate = try await walk.settle(intent)
            try require(fate == .void, "its fate is \(fate)")
            try await walk.walk()
            let missing = await configuration.differing(configuration.wanted)
            try require(missing.isEmpty, "the vendor does not hold what is desired of \(missing)")
        },
    ]
}
