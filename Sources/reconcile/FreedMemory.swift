import CMalloc
import Synchronization
import Threads

/// Gives the machine back what passes have freed. The C library keeps it otherwise, for passes to come, and a pod is counted for its largest
/// pass as long as it lives.
final class FreedMemory: Sendable {
    /// What is given back has to be asked for again: not after every pass of a busy loop.
    private static let pause = Duration.seconds(60)

    private let last = Mutex<ContinuousClock.Instant?>(nil)

    /// To be called when nothing is under way. Returns at once.
    func giveBack(at now: ContinuousClock.Instant = .now) {
        let isDue = last.withLock { last in
            if let last, now - last < Self.pause { return false }
            last = now
            return true
        }
        // What the last pass told of is freed a moment later. Some milliseconds, which none of Swift's own threads is to wait for; where there
        // is no thread, there is more to worry about.
        if isDue { _ = DetachedThread.start { belay_give_back_freed_memory_after(1) } }
    }
}
