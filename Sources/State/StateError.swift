public import Model

/// Why the state of a system cannot be read or written. Nothing was overwritten.
public struct StateError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, CaseIterable {
        /// Somebody else works on the system: ``StateError/holder`` says who.
        case locked
        /// The lock was taken over, or somebody wrote without it: this holder writes nothing more.
        case lockLost
        case damaged
        case newerVersion
        case noSpace
        case notPermitted
        case noPlace
        /// The database that holds it does not answer, or lets nobody in.
        case unreachable
        case failed
        /// Waiting for the lock was cancelled.
        case interrupted
    }

    public var code: Code
    public var message: String
    /// What to do next; nil when waiting is all there is.
    public var next: String?
    /// The file or directory that it is about.
    public var path: String?
    /// Counted from 1, of a damaged journal.
    public var line: Int?
    public var holder: LockHolder?

    public init(
        _ code: Code, _ message: String, next: String? = nil, path: String? = nil, line: Int? = nil, holder: LockHolder? = nil
    ) {
        self.code = code
        self.message = message
        self.next = next
        self.path = path
        self.line = line
        self.holder = holder
    }

    /// The error as an outcome tells it.
    public var problem: Problem { Problem(reason, message, next: next) }

    private var reason: String {
        switch code {
        case .locked: "Locked"
        case .lockLost: "LockLost"
        case .damaged: "JournalDamaged"
        case .newerVersion: "JournalNewer"
        case .noSpace: "DiskFull"
        case .notPermitted: "StateNotPermitted"
        case .noPlace: "NoStatePlace"
        case .unreachable: "StateUnreachable"
        case .failed: "StateFailed"
        case .interrupted: "Interrupted"
        }
    }
}

extension StateError: CustomStringConvertible {
    public var description: String { next.map { "\(message); \($0)" } ?? message }
}
