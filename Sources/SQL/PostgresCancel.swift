internal import CPostgres
internal import Dispatch

/// A request to the server to end the statement of a session: it goes over a connection of its own, for which nobody waits who reads the
/// session's answers.
final class PostgresCancel {
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: OpaquePointer) {
        let request = Request(pointer: PQgetCancel(handle))
        DispatchQueue.global().async { [done] in
            if let pointer = request.pointer {
                var message = [CChar](repeating: 0, count: 256)
                // What could not be cancelled ends by itself, or the session is given up.
                _ = PQcancel(pointer, &message, Int32(message.count))
                PQfreeCancel(pointer)
            }
            done.signal()
        }
    }

    /// Waits until the server has taken the request, or it failed.
    func isSent(within limit: Duration) -> Bool {
        done.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1)))) == .success
    }

    /// libpq made it to be used on another thread than its session: https://www.postgresql.org/docs/15/libpq-cancel.html
    private struct Request: @unchecked Sendable {
        var pointer: OpaquePointer?
    }
}
