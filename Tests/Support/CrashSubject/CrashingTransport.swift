import HTTPCore

/// A transport in which the process can be killed before, during and after every write.
struct CrashingTransport: Transport {
    var inner: any Transport
    var trigger: CrashTrigger

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard !request.method.isSafe else { return try await inner.send(request) }
        trigger.pass(.writeBefore)
        if trigger.isReached(.writeDuring) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do { _ = try await inner.send(request) } catch {}  // The process ends before anybody could look at it.
                }
                // The answer of this write is held back by the sandbox, so that the process certainly ends before it.
                do { try await ContinuousClock().sleep(for: .milliseconds(150)) } catch {}
                CrashTrigger.die()
            }
        }
        defer { trigger.pass(.writeAfter) }
        return try await inner.send(request)
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream { try await inner.stream(request) }
}
