internal import Dispatch

/// A thread of its own for the calls of one connection, which block: nothing of it runs on the few threads that everything else needs.
final class ConnectionThread: SerialExecutor {
    private let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: "belay.sql.\(label)") }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
