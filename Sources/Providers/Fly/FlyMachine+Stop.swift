import JSONValues

extension FlyMachine {
    /// What Belay writes on a machine before it stops it, in the machine's own metadata: how it comes back.
    struct StopMark: Sendable, Hashable {
        /// False for one that was stopped already, and stays so.
        var starts: Bool
        /// It had no traffic before, and gets none afterwards.
        var wasCordoned: Bool

        init(starts: Bool, wasCordoned: Bool) {
            self.starts = starts
            self.wasCordoned = wasCordoned
        }

        /// Any text is a mark: of what is not understood, the machine is started.
        init(_ text: String) {
            let words = text.split(separator: " ")
            self.init(starts: !words.contains("keep"), wasCordoned: words.contains("cordoned"))
        }

        var text: String { (starts ? "start" : "keep") + (wasCordoned ? " cordoned" : "") }
    }

    /// Nil when Belay has not stopped it.
    var stopMark: StopMark? { metadata[FlyMark.stopped].map { StopMark($0) } }

    /// True if nothing of it runs, and nothing but a person starts it: the proxy starts no machine that is cordoned.
    var isQuiet: Bool { stopMark != nil && isReachable && isCordoned && ["stopped", "created", "failed"].contains(state) }

    /// True if the platform starts it again whenever its program ends.
    var restartsAlways: Bool { config?["restart"]?["policy"]?.string == "always" }

    /// True if it ran until it crashed.
    var hasCrashed: Bool {
        guard isStopped || state == "failed", case .failed = health(at: nil, "") else { return false }
        return true
    }

    /// True if it has to be started, so that it is as it was. One that the proxy has stopped since is as it was.
    var needsStart: Bool {
        guard stopMark?.starts == true, isStopped || state == "failed" else { return false }
        let started = events.filter { $0.type == "start" }.compactMap(\.time).max()
        let stopped = events.filter { $0.type == "stop" && $0.source == "user" }.compactMap(\.time).max()
        guard stopsByItself, let started else { return true }
        return stopped.map { $0 >= started } ?? false
    }
}
