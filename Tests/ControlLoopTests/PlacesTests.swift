import ControlLoop
import Model
import Planning
import Synchronization
import TestDoubles
import Testing

@Suite(.timeLimit(.minutes(1))) struct PlacesTests {
    @Test func placesAreTakenInTheOrderInWhichTheyWereAskedFor() async throws {
        let places = Places(1)
        let first = try await places.take()
        let order = Log<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...20 {
                group.addTask {
                    let place = try await places.take()
                    order.append(number)
                    place.giveBack()
                }
                while places.waiting < number { await Task.yield() }
            }
            #expect(order.all.isEmpty)
            first.giveBack()
            try await group.waitForAll()
        }
        #expect(order.all == Array(1...20))
    }

    @Test func whoeverAsksGetsOneInTheEnd() async throws {
        let places = Places(3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    for _ in 0..<20 {
                        let place = try await places.take()
                        await Task.yield()
                        place.giveBack()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(places.free == 3 && places.waiting == 0)
    }

    @Test func aPlaceIsGivenBackOnce() async throws {
        let places = Places(2)
        let first = try await places.take()
        let second = try await places.take()
        first.giveBack()
        first.giveBack()
        #expect(places.free == 1)
        withExtendedLifetime(second) {}
    }

    @Test func whatNobodyHasAnyMoreIsGivenBack() async throws {
        let places = Places(1)
        for _ in 0..<3 { _ = try await places.take() }
        #expect(places.free == 1)
    }

    @Test func whoIsCancelledWhileWaitingTakesNone() async throws {
        let places = Places(1)
        let first = try await places.take()
        let waiting = Task { try await places.take() }
        while places.waiting == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        first.giveBack()
        #expect(places.free == 1)
    }

    @Test func whoWasCancelledBeforeTakesNone() async throws {
        let places = Places(1)
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await places.take()
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(places.free == 1)
    }

    @Test func aPassHoldsOneWhileItLooksAndNoneWhileItCarriesOut() async throws {
        let places = Places(1)
        let whileLooking = Log<Int>()
        let whileWriting = Log<Int>()
        let stage = try Stage(
            looking: places,
            answer: { _, _, _ in
                whileWriting.append(places.free)
                return .accepted
            },
            look: { _, _, observation in
                whileLooking.append(places.free)
                return observation
            })
        try await stage.accept()
        let report = await stage.pass(.make(.make("web", "v2")))
        #expect(report.verdict == .inSync)
        #expect(whileLooking.all.first == 0 && whileWriting.all == [1] && places.free == 1)
    }

    @Test func ofALargeSystemNotEverythingIsObservedAtOnce() async throws {
        let names = (0..<600).map { "web\($0)" }
        let looks = Mutex((now: 0, most: 0))
        let stage = try Stage(
            Dictionary(uniqueKeysWithValues: names.map { ($0, FakeWorld.Place()) }),
            look: { _, _, observation in
                looks.withLock { looks in
                    looks.now += 1
                    looks.most = max(looks.most, looks.now)
                }
                for _ in 0..<5 { await Task.yield() }
                looks.withLock { $0.now -= 1 }
                return observation
            })
        try await stage.accept()
        var system = System.make()
        system.components = names.map { .make($0, "v1") }
        #expect(await stage.pass(system).verdict == .inSync)
        #expect(names.allSatisfy { stage.world[$0].looks.count == 1 })
        #expect(looks.withLock { $0.most } <= 128)
    }
}
