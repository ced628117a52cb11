import Model
import Testing

@testable import ControlLoop

struct WorkQueueTests {
    private let shop = SystemID(name: "shop")
    private let blog = SystemID(name: "blog")
    private let mail = SystemID(name: "mail")

    @Test func aSystemIsInItOnceAndTheEarlierTimeCounts() {
        var queue = WorkQueue()
        queue.add(shop, .resync, at: .seconds(100))
        queue.add(shop, .change, at: .seconds(1))
        queue.add(shop, .resync, at: .seconds(200))
        #expect(queue.nextDue == .seconds(1))
        #expect(queue.take(at: .zero) == nil, "it is not due yet")
        #expect(queue.take(at: .seconds(1)) == shop)
        #expect(queue.take(at: .seconds(500)) == nil, "it was in it once")
    }

    @Test func whatIsAskedForDuringTheWorkWaitsForItsEnd() {
        var queue = WorkQueue()
        queue.add(shop, .change, at: .zero)
        #expect(queue.take(at: .zero) == shop)
        queue.add(shop, .change, at: .seconds(1))
        queue.add(shop, .change, at: .seconds(2))
        #expect(queue.take(at: .seconds(9)) == nil && queue.nextDue == nil && queue.workCount == 1)
        queue.finish(shop)
        #expect(queue.take(at: .seconds(9)) == shop)
        queue.finish(shop)
        #expect(queue.take(at: .seconds(9)) == nil && queue.workCount == 0)
    }

    @Test func changesGoAheadOfResyncs() {
        var queue = WorkQueue()
        queue.add(shop, .resync, at: .seconds(10))
        queue.add(blog, .retry, at: .seconds(12))
        queue.add(mail, .change, at: .seconds(15))
        let order = (0..<3).map { _ in queue.take(at: .seconds(20)) }
        #expect(order == [blog, mail, shop])
    }

    @Test func noFloodOfChangesStarvesAResync() {
        var queue = WorkQueue()
        queue.add(shop, .resync, at: .zero)
        var takenAt: Int?
        // One worker that needs a second, and two changes a second.
        for second in 0..<100 where takenAt == nil {
            for number in 0..<2 { queue.add(SystemID(name: "other-\(second)-\(number)"), .change, at: .seconds(second)) }
            guard let next = queue.take(at: .seconds(second)) else { continue }
            if next == shop { takenAt = second }
            queue.finish(next)
        }
        // The changes of the first half minute are ahead of it, and nothing that came later.
        #expect(takenAt.map { (58...62).contains($0) } ?? false, "\(takenAt as Int?)")
    }

    @Test func whatIsForgottenComesBackOnlyWhenItIsAskedForAgain() {
        var queue = WorkQueue()
        queue.add(shop, .resync, at: .zero)
        queue.forget(shop)
        #expect(queue.take(at: .seconds(1)) == nil)
        queue.add(shop, .change, at: .zero)
        #expect(queue.take(at: .zero) == shop)
        queue.add(shop, .change, at: .zero)
        queue.forget(shop)
        queue.finish(shop)
        #expect(queue.take(at: .seconds(1)) == nil)
    }
}
