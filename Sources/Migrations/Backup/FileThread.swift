internal import Dispatch
internal import Model

/// A thread of its own for calls that wait for a disk, in the order in which they are made.
actor FileThread {
    private final class Executor: SerialExecutor {
        private let queue = DispatchQueue(label: "belay.backup")

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let executor = asUnownedSerialExecutor()
            queue.async { job.runSynchronously(on: executor) }
        }
    }

    private let executor = Executor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func run<Value: Sendable>(_ work: @Sendable () throws(Problem) -> Value) throws(Problem) -> Value { try work() }
}
