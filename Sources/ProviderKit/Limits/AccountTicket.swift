import Synchronization

/// The place of one request in a queue. Settled once; whoever comes later changes nothing.
final class AccountTicket: Sendable {
    enum Outcome: Sendable {
        /// It may go, and counts as under way.
        case admitted
        /// It is to ask anew.
        case again
        case late, cancelled
    }

    private enum State {
        case open
        case awaited(CheckedContinuation<Outcome, Never>)
        case settled(Outcome)
    }

    let endpoint: String
    private let state = Mutex(State.open)

    init(_ endpoint: String) { self.endpoint = endpoint }

    var isSettled: Bool {
        state.withLock { state in
            if case .settled = state { return true }
            return false
        }
    }

    /// True if it was open until now.
    @discardableResult func settle(_ outcome: Outcome) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Outcome, Never>?) in
            switch state {
            case .settled: return (false, nil)
            case .open:
                state = .settled(outcome)
                return (true, nil)
            case .awaited(let waiter):
                state = .settled(outcome)
                return (true, waiter)
            }
        }
        waiter?.resume(returning: outcome)
        return isFirst
    }

    /// How it was settled, once it is. To be asked for once.
    var outcome: Outcome {
        get async {
            await withCheckedContinuation { continuation in
                let settled = state.withLock { state -> Outcome? in
                    if case .settled(let outcome) = state { return outcome }
                    state = .awaited(continuation)
                    return nil
                }
                if let settled { continuation.resume(returning: settled) }
            }
        }
    }
}
