import FoundationEssentials
import HTTPCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
public import Simulators

/// Puts simulators behind real listeners on the loopback interface.
public enum SandboxServer {
    /// Starts one HTTP/1.1 listener for each simulator, each on a free port. Returning means that all of them accept connections.
    ///
    /// - Parameters:
    ///   - clock: gives the times of answers and of the request log; nil for one that begins with the present. The simulators should run
    ///     on the same one.
    ///   - speed: how much faster than real time a delay passes.
    ///   - secrets: the tokens of this run; `/_sandbox/requests` shows `***` in their place.
    public static func start(
        simulators: [any Simulator], faults: FaultRules = FaultRules(), clock: (any SimulatedClock)? = nil,
        speed: Double = 1, secrets: [String] = []
    ) async throws(SandboxError) -> RunningSandbox {
        let clock = clock ?? realTime(speed: speed)
        let requests = RequestLog(secrets: secrets)
        let control = ControlEndpoint(simulators: simulators, faults: faults, requests: requests, clock: clock)
        let open = OpenRequests()
        var logger = Logger(label: "belay-sandbox") { StreamLogHandler.standardError(label: $0) }
        // What goes wrong with a connection is the client's to see; a listener that cannot listen throws.
        logger.logLevel = .critical
        let (ready, continuation) = AsyncThrowingStream.makeStream(of: (name: String, port: Int).self)
        do {
            let servers = try simulators.map { simulator in
                try Listener(
                    simulator: simulator, faults: faults, requests: requests, open: open, control: control, clock: clock, speed: speed
                ).server(logger: logger) { continuation.yield((simulator.name, $0)) }
            }
            let services = ServiceGroup(configuration: ServiceGroupConfiguration(services: servers, logger: logger))
            // Unstructured, because listeners outlive the call that starts them; `stop` ends and awaits the task.
            let task = Task {
                do {
                    try await services.run()
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
            var urls: [String: String] = [:]
            if !simulators.isEmpty {
                for try await (name, port) in ready {
                    urls[name] = "http://127.0.0.1:\(port)"
                    if urls.count == simulators.count { break }
                }
            }
            let sandbox = RunningSandbox(urls: urls, faults: faults, requests: requests, open: open, services: services, task: task)
            if urls.count < simulators.count {
                await sandbox.stop()
                throw CancellationError()
            }
            return sandbox
        } catch {
            throw SandboxError(.listen, "cannot listen on 127.0.0.1: \(error)")
        }
    }

    /// A clock that begins with the present and runs `speed` times as fast.
    public static func realTime(speed: Double) -> ScaledClock {
        ScaledClock(origin: Int64(Date().timeIntervalSince1970 * 1000), speed: speed)
    }
}

/// Simulators that answer on loopback until ``stop()``.
public final class RunningSandbox: Sendable {
    /// By the simulator's name, without a slash at the end: `["vercel": "http://127.0.0.1:40123"]`.
    public let urls: [String: String]
    /// The faults still to come; more may be added at any time.
    public let faults: FaultRules
    private let log: RequestLog
    private let open: OpenRequests
    private let services: ServiceGroup
    private let task: Task<Void, Never>

    init(
        urls: [String: String], faults: FaultRules, requests: RequestLog, open: OpenRequests, services: ServiceGroup,
        task: Task<Void, Never>
    ) {
        self.urls = urls
        self.faults = faults
        self.log = requests
        self.open = open
        self.services = services
        self.task = task
    }

    /// What arrived, in order of arrival; the newest 10,000.
    public var requests: [RecordedRequest] { log.requests }

    /// Closes listeners and connections, requests in progress included. Returns when the ports are free; may be called twice.
    public func stop() async {
        // Not by cancelling the task: NIO traps when a cancelled server drops a connection that it has just accepted.
        open.closeAll()
        await services.triggerGracefulShutdown()
        await task.value
    }
}
