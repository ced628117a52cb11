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
    /// Closing it ends the thread, and a byte tells it that there are other paths.
    private let control: Int32

    /// What thread and users tell each other.
    final class Told: Sendable {
        /// What the thread cannot watch.
        let trouble = Mutex<SourceError?>(nil)
        /// What is watched beside the plan.
        let further = Mutex<[String]>([])
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
        control = ends[1]
        var watching = WatchThread(descriptor: descriptor, control: ends[0], plan: plan, signal: signal, told: told)
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

    deinit { close(control) }

    /// Watches these paths as well, instead of those of the call before. If they are others, it tells a change when it does.
    func watch(further paths: [String]) {
        let isNews = told.further.withLock { further in
            defer { further = paths }
            return further != paths
        }
        guard isNews else { return }
        var byte: UInt8 = 1
        _ = write(control, &byte, 1)
    }

    /// Returns when something changed since the last time.
    func change() async throws { try await signal.wait() }

    /// What of the directories is not watched any more; nil when all are.
    var trouble: SourceError? { told.trouble.withLock { $0 } }
}
