import Synchronization

/// That a host said it has something new, and whether it was seen since.
///
/// A host may say so before everything of it knows: then it is asked again after 1, 2, 4, 8 and 16 s.
final class SourceHint: Sendable {
    private struct Expectation {
        var object: String
        var looks = 0
    }

    private let signal = ChangeSignal()
    private let expected = Mutex<Expectation?>(nil)

    /// - Parameter object: what the ref is now; nil where the host did not say.
    func raise(expecting object: String?) {
        expected.withLock { $0 = object.map { Expectation(object: $0) } }
        signal.raise()
    }

    /// Returns when it was raised, when what is expected may be there, or after `pause`.
    func wait(_ pause: Duration, _ clock: any Clock<Duration>) async throws {
        let pause = expected.withLock { expected in expected.map { min(pause, .seconds(1 << $0.looks)) } } ?? pause
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.signal.wait() }
            group.addTask { try await clock.sleep(for: pause) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// That is what the host has now.
    func saw(_ object: String) {
        expected.withLock { expected in
            expected?.looks += 1
            if let present = expected, present.object == object || present.looks > 5 { expected = nil }
        }
    }
}
