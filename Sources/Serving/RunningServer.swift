import Logging
import NIOCore
import ServiceLifecycle

/// A server that accepts connections until ``stop(_:within:)``.
struct RunningServer: Sendable {
    /// `127.0.0.1:8080`.
    let bound: String
    private let services: ServiceGroup
    private let task: Task<Void, Never>

    /// Returns when connections are accepted.
    init(_ make: (@escaping @Sendable (any Channel) -> Void) throws -> any Service) async throws {
        let (ready, continuation) = AsyncThrowingStream.makeStream(of: String.self)
        let server = try make { channel in
            let address = channel.localAddress
            continuation.yield(ListenAddress.text(address?.ipAddress ?? "", address?.port ?? 0))
        }
        var logger = Logger(label: "belay") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .critical
        let services = ServiceGroup(configuration: ServiceGroupConfiguration(services: [server], logger: logger))
        // Unstructured, because it may not be cancelled: NIO traps when a cancelled server drops a connection that it has just accepted.
        // `stop` ends and awaits it.
        let task = Task {
            do {
                try await services.run()
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        var bound: String?
        for try await address in ready {
            bound = address
            break
        }
        guard let bound else {
            await task.value
            throw CancellationError()
        }
        self.bound = bound
        self.services = services
        self.task = task
    }

    /// Accepts nothing more, and closes what is still open after `grace`. Returns when the port is free.
    func stop(_ open: OpenConnections, within grace: Duration) async {
        await services.triggerGracefulShutdown()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await task.value
                return true
            }
            group.addTask {
                do { try await Task.sleep(for: grace) } catch {}  // It has ended before.
                return false
            }
            if await group.next() == false { open.closeAll() }
            group.cancelAll()
        }
    }
}
