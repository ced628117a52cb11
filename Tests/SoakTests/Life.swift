import HTTPCore
import State
import Synchronization

/// One life of a replica, from its start to its end; after that it does nothing more, whatever of it still runs.
final class Life: Sendable {
    enum Boundary: Sendable, CaseIterable { case journalBefore, journalAfter, writeBefore, writeAfter }

    private struct State {
        var hasEnded = false
        /// Where it is to be killed, and how many of them pass first.
        var point: (boundary: Boundary, count: Int)?
    }

    static let transportError = TransportError(.engineStopped, "the process is no more", mayHaveTakenEffect: true)
    static let stateError = StateError(.interrupted, "the process is no more")

    let name: String
    private let state = Mutex(State())
    private let ending = AsyncStream<Never>.makeStream()

    init(_ name: String) { self.name = name }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Nothing is finished and nothing given back.
    func kill() {
        state.withLock { $0.hasEnded = true }
        ending.continuation.finish()
    }

    func kill(at boundary: Boundary, after count: Int) { state.withLock { $0.point = (boundary, count) } }

    /// Counts one boundary; returns true if this is the end of it.
    func reach(_ boundary: Boundary) -> Bool {
        let dies = state.withLock { state in
            if state.hasEnded { return true }
            guard let point = state.point, point.boundary == boundary else { return false }
            state.point = point.count > 0 ? (boundary, point.count - 1) : nil
            return point.count == 0
        }
        if dies { kill() }
        return dies
    }

    /// Returns when it is killed, or the task is cancelled.
    func waitForKill() async { for await _ in ending.stream {} }
}
