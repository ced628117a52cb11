import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where in its life the process is to be killed: at one of the boundaries that a pass goes through.
struct CrashPoint: Sendable {
    enum Boundary: String, Sendable {
        case journalBefore = "journal-before"
        case journalAfter = "journal-after"
        /// Before a write is on the wire.
        case writeBefore = "write-before"
        /// When it is on the wire and its answer has not come.
        case writeDuring = "write-during"
        /// When its answer has come, or was lost, and nothing has been made of that.
        case writeAfter = "write-after"
    }

    var boundary: Boundary
    /// From 1.
    var number: Int

    /// `journal-before:3`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let boundary = Boundary(rawValue: String(parts[0])), let number = Int(parts[1]) else { return nil }
        self.boundary = boundary
        self.number = number
    }
}

/// Counts boundaries and kills the process at the chosen one.
final class CrashTrigger: Sendable {
    private let point: CrashPoint?
    private let counts = Mutex<[CrashPoint.Boundary: Int]>([:])

    init(_ point: CrashPoint?) { self.point = point }

    /// Counts one boundary; returns true if it is the chosen one.
    func isReached(_ boundary: CrashPoint.Boundary) -> Bool {
        let count = counts.withLock { counts in
            counts[boundary, default: 0] += 1
            return counts[boundary]
        }
        return point?.boundary == boundary && point?.number == count
    }

    func pass(_ boundary: CrashPoint.Boundary) {
        if isReached(boundary) { Self.die() }
    }

    /// Ends the process as a power cut would: nothing is flushed, no handler runs.
    static func die() {
        kill(getpid(), SIGKILL)
    }

    func count(_ boundary: CrashPoint.Boundary) -> Int { counts.withLock { $0[boundary] ?? 0 } }
}
