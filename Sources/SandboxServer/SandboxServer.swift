import FoundationEssentials
import HTTPCore
import HummingbirdCore
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
    ///   - clock: gives the times of answers and of the request log. The simulators should run on the same one.
    ///   - speed: how much faster than real time a delay passes.
    ///   - secrets: the tokens of this run; `/_sandbox/requests` shows `***` in their place.
    public static func start(
        simulators: [any Simulator], faults: FaultRules = FaultRules(), clock: any SimulatedClock = SandboxServer.realTime(speed: 1),
        speed: Double = 1, secrets: [String] = []
    ) async throws(SandboxError) -> RunningSandbox {
        let requests = RequestLog(secrets: secrets)
        let control = ControlEndpoint(simulators: simulators, faults: faults, requests: requests, clock: clock)
        let (ready, continuation) = AsyncThrowingStream.makeStream(of: (name: String, port: Int).self)
        let listeners = simulators.map {
            Listener(simulator: $0, faults: faults, requests: requests, control: control, clock: clock, speed: speed)
        }
        // Unstructured, because listeners outlive the call that starts them; `stop` ends and awaits the task.
        let task = Task {
            do {
                try await withThrowingDiscardingTaskGroup { group in
                    for listener in listeners {
                        let server = try listener.server { continuation.yield((listener.simulator.name, $0)) }
                        group.addTask { try await server.run() }
                    }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        var urls: [String: String] = [:]
        do {
            if !simulators.isEmpty {
                for try await (name, port) in ready {
                    urls[name] = "http://127.0.0.1:\(port)"
                    if urls.count == simulators.count { break }
                }
            }
        } catch {
            task.cancel()
            throw SandboxError(.listen, "cannot listen on 127.0.0.1: \(error)")
        }
        guard urls.count == simulators.count else {
            task.cancel()
            throw SandboxError(.listen, "interrupted before every listener was ready")
        }
        return RunningSandbox(urls: urls, faults: faults, requests: requests, task: task)
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
    private let task: Task<Void, Never>

    init(urls: [String: String], faults: FaultRules, requests: RequestLog, task: Task<Void, Never>) {
        self.urls = urls
        self.faults = faults
        self.log = requests
        self.task = task
    }

    deinit { task.cancel() }

    /// What arrived, in order of arrival; the newest 10,000.
    public var requests: [RecordedRequest] { log.requests }

    /// Closes listeners and connections, requests in progress included. Returns when the ports are free; may be called twice.
    public func stop() async {
        task.cancel()
        await task.value
    }
}
