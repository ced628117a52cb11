internal import Dispatch

/// A thread of its own for calls that block, in the order in which they are made: waiting for a disk must not hold up
/// the few threads that everything else runs on.
final class DiskQueue: SerialExecutor {
    private let queue = DispatchQueue(label: "belay.state")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}

/// Runs work on a ``DiskQueue``.
actor Disk {
    private let queue: DiskQueue
    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ queue: DiskQueue) { self.queue = queue }

    func run<Value: Sendable>(_ work: @Sendable () throws(StateError) -> Value) throws(StateError) -> Value { try work() }
}
