import Synchronization
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The loop around one inotify descriptor. Everything in it happens on one thread.
struct WatchThread {
    let descriptor: Int32
    /// The reading end of a pipe: a byte tells of other paths, and the other end is closed to end this.
    let control: Int32
    let plan: WatchPlan
    let signal: ChangeSignal
    let told: FileWatch.Told
    private var watches: [Int32: (path: String, interest: WatchPlan.Interest)] = [:]

    private static let mask =
        UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_ATTRIB)
        | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONLYDIR)

    init(descriptor: Int32, control: Int32, plan: WatchPlan, signal: ChangeSignal, told: FileWatch.Told) {
        self.descriptor = descriptor
        self.control = control
        self.plan = plan
        self.signal = signal
        self.told = told
    }

    /// False if the system gives no thread. It ends, and closes both descriptors, when the other end of `control` is closed.
    func start() -> Bool {
        DetachedThread.start { [self] in
            var watching = self
            watching.run()
        }
    }

    private mutating func run() {
        defer {
            close(descriptor)
            close(control)
        }
        var burst = ChangeBurst()
        while true {
            let wait = burst.due.map { Int32(max(0, $0 - Self.milliseconds())) } ?? -1
            var descriptors = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: control, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&descriptors, 2, wait)
            if count < 0, errno != EINTR { return }
            if descriptors[1].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 64)
                guard read(control, &bytes, bytes.count) > 0 else { return }
                // What changed before they were watched is seen by reading once more.
                establish()
                signal.raise()
            }
            if descriptors[0].revents != 0, let change = takeEvents() { burst.add(change, at: Self.milliseconds()) }
            guard burst.takes(at: Self.milliseconds()) else { continue }
            // Before it is told, so that whatever happens while somebody reads is seen.
            establish()
            signal.raise()
        }
    }

    /// Watches what the paths lead through now, and nothing else.
    mutating func establish() {
        var wanted: [Int32: (path: String, interest: WatchPlan.Interest)] = [:]
        var trouble: SourceError?
        var plan = plan
        plan.paths += told.further.withLock { $0 }
        let interests = plan.interests()
        if interests.count >= WatchPlan.limit {
            trouble = SourceError(.tooLarge, "more than \(WatchPlan.limit) directories to watch; name a smaller directory")
        }
        for (path, interest) in interests {
            let watch = inotify_add_watch(descriptor, path, Self.mask)
            if watch < 0 {
                let reason = errno
                // What went away in between is told by the directory that held it.
                guard reason != ENOENT, reason != ENOTDIR else { continue }
                trouble = SourceError(
                    .unreadable,
                    "\(path): it cannot be watched: \(String(cString: strerror(reason)))"
                        + (reason == ENOSPC ? "; raise fs.inotify.max_user_watches (sysctl)" : ""))
                continue
            }
            // Two paths may lead to one directory.
            wanted[watch, default: (path, WatchPlan.Interest())].interest.names.formUnion(interest.names)
            if interest.isTree { wanted[watch]?.interest.isTree = true }
        }
        for watch in watches.keys where wanted[watch] == nil { inotify_rm_watch(descriptor, watch) }
        watches = wanted
        told.trouble.withLock { $0 = trouble }
    }

    /// Takes what is there; nil if nothing of it matters. In a Git work tree a file alone is not the whole of a change.
    private func takeEvents() -> ChangeBurst.Change? {
        var change: ChangeBurst.Change?
        let capacity = 1 << 16
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        defer { buffer.deallocate() }
        let header = MemoryLayout<inotify_event>.size
        while true {
            let count = read(descriptor, buffer, capacity)
            guard count > 0 else { return change }
            var offset = 0
            while offset + header <= count {
                let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                let name = event.len == 0 ? "" : String(cString: (buffer + offset + header).assumingMemoryBound(to: CChar.self))
                if isChange(event, name) {
                    let isWhole = event.mask & UInt32(IN_MOVED_TO) != 0 && plan.gitDirectories.isEmpty
                    change = isWhole ? .whole : change ?? .part
                }
                offset += header + Int(event.len)
            }
        }
    }

    private func isChange(_ event: inotify_event, _ name: String) -> Bool {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
        if event.mask & UInt32(IN_IGNORED) != 0 { return false }
        guard let watch = watches[event.wd] else { return false }
        guard !name.isEmpty else { return true }
        guard watch.interest.matters(name) else { return false }
        // A new file is empty: it is there when its writer closes it.
        return event.mask & UInt32(IN_CREATE) == 0 || !Self.isBeingWritten("\(watch.path)/\(name)")
    }

    private static func isBeingWritten(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
