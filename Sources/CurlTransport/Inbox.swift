import CCurl
import HTTPCore
import Synchronization

/// What callers ask of the engine's thread.
enum Command: Sendable {
    case start(Exchange, Reply)
    case cancel(Exchange)
    case resume(Exchange)
}

/// The queue between callers and the engine's thread; starts the thread with the first request.
final class Inbox: Sendable {
    /// The one thing of a multi handle that libcurl allows from any thread is to wake it, which is all that this offers.
    struct Bell: @unchecked Sendable {
        private let multi: UnsafeMutableRawPointer
        init(_ multi: UnsafeMutableRawPointer) { self.multi = multi }
        func ring() { _ = curl_multi_wakeup(multi) }
    }

    private enum Phase { case unstarted, running, closed }

    private struct State {
        var phase = Phase.unstarted
        var commands: [Command] = []
        /// There only while the engine sleeps, or is about to: a busy engine looks into the queue before it sleeps.
        var bell: Bell?
    }

    private let state = Mutex(State())
    private let configuration: CurlTransport.Configuration

    init(configuration: CurlTransport.Configuration) {
        self.configuration = configuration
    }

    // MARK: - Callers

    func start(_ exchange: Exchange, _ reply: Reply) {
        let phase = post(.start(exchange, reply))
        switch phase {
        case .running: break
        case .closed: reply.fail(.stopped(exchange.request, sent: false))
        case .unstarted:
            guard !EngineThread.start(inbox: self, configuration: configuration) else { return }
            for case .start(let exchange, let reply) in closeAndTake() { reply.fail(.stopped(exchange.request, sent: false)) }
        }
    }

    func cancel(_ exchange: Exchange) {
        exchange.markCancelled()
        _ = post(.cancel(exchange))
    }

    func resume(_ exchange: Exchange) {
        _ = post(.resume(exchange))
    }

    func close() {
        state.withLock { state in
            let wasRunning = state.phase == .running
            state.phase = .closed
            // Under the lock, so that the engine cannot free the handle in between.
            if wasRunning { state.bell?.ring() }
        }
    }

    /// Returns the phase before; a closed inbox takes nothing, an unstarted one is running afterwards if a request was posted.
    private func post(_ command: Command) -> Phase {
        state.withLock { state in
            let before = state.phase
            switch (before, command) {
            case (.closed, _), (.unstarted, .cancel), (.unstarted, .resume): return before
            case (.unstarted, .start), (.running, _): break
            }
            state.phase = .running
            state.commands.append(command)
            if state.commands.count == 1 { state.bell?.ring() }
            return before
        }
    }

    // MARK: - The engine's thread

    /// Exchanges the engine's emptied array for what was posted; false once the inbox is closed.
    func take(into commands: inout [Command]) -> Bool {
        state.withLock { state in
            state.bell = nil
            swap(&state.commands, &commands)
            return state.phase != .closed
        }
    }

    /// Announces that the engine goes to sleep; false if it must not, because something was posted.
    func sleep(_ bell: Bell) -> Bool {
        state.withLock { state in
            guard state.commands.isEmpty, state.phase == .running else { return false }
            state.bell = bell
            return true
        }
    }

    /// Closes for good and hands over what nobody will do any more.
    func closeAndTake() -> [Command] {
        state.withLock { state in
            state.phase = .closed
            state.bell = nil
            defer { state.commands = [] }
            return state.commands
        }
    }
}
