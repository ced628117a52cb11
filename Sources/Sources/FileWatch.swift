import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Watches directories through inotify(7), on a thread of its own, for as long as it is referred to.
///
/// A burst of events is one change: it is told when 60 ms have passed without another, and after half a second at the latest.
final class FileWatch: Sendable {
    private let signal = ChangeSignal()
    private let told = Told()
    /// Closing it ends the thread.
    private let stop: Int32

    /// What the thread cannot watch, for whoever reads.
    final class Told: Sendable {
        let trouble = Mutex<SourceError?>(nil)
    }

    /// Returns when the directories are watched.
    init(_ plan: WatchPlan) throws(SourceError) {
        let descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw SourceError(
                .unreadable,
                "files cannot be watched: \(String(cString: strerror(errno))); "
                    + "raise fs.inotify.max_user_instances (sysctl), or end other programs that watch files")
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
            close(descriptor)
            throw SourceError(.unreadable, "files cannot be watched: \(String(cString: strerror(errno)))")
        }
        stop = ends[1]
        var watching = WatchThread(descriptor: descriptor, stop: ends[0], plan: plan, signal: signal, told: told)
        watching.establish()
        if let trouble {
            for descriptor in [descriptor, ends[0], ends[1]] { close(descriptor) }
            throw trouble
        }
        guard watching.start() else {
            for descriptor in [descriptor, ends[0], ends[1]] { close(descriptor) }
            throw SourceError(.unreadable, "files cannot be watched: the system gives no thread")
        }
    }

    deinit { close(stop) }

    /// Returns when something changed since the last time.
    func change() async throws { try await signal.wait() }

    /// What of the directories is not watched any more; nil when all are.
    var trouble: SourceError? { told.trouble.withLock { $0 } }
}
