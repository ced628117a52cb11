internal import FoundationEssentials
internal import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// What stands in a lock file: a holder, and a counter that shows that it lives.
struct LockText: Codable, Sendable {
    /// Of this hold, not of the process.
    var id: String
    var holder: LockHolder
    var leaseMilliseconds: Int
    var beat: Int

    /// Shorter texts are padded to this, so that a renewal never leaves the tail of a longer one.
    private static let length = 1024

    init(id: String, holder: LockHolder, lease: Duration) {
        self.id = id
        self.holder = holder
        leaseMilliseconds = Int(lease / .milliseconds(1))
        beat = 0
    }

    /// Nil for an empty file, and for one that was torn.
    init?(_ bytes: [UInt8]) {
        guard let text = try? JSONDecoder().decode(LockText.self, from: Data(bytes)) else { return nil }  // Unreadable: judged by its beat.
        self = text
    }

    var lease: Duration { .milliseconds(max(0, leaseMilliseconds)) }

    func bytes() throws(StateError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text: Data
        do { text = try encoder.encode(self) } catch { throw StateError(.failed, "the lock cannot be written as JSON: \(error)") }
        return text + [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.length - text.count - 1)) + [UInt8(ascii: "\n")]
    }
}

/// The lock of one system: a file locked by `flock(2)`, with a text about its holder.
///
/// Among processes of one kernel the file lock alone decides, so that a killed holder is free at once. Where the directory is
/// shared between hosts and file locks are not, the text decides: its holder is dead when the text has not changed for its lease,
/// measured by the clock of whoever watches it.
struct LockFile: Sendable {
    let file: OpenFile

    /// Nil when another process holds it.
    static func take(_ path: String) throws(StateError) -> LockFile? {
        while true {
            let file = try OpenFile(path, O_RDWR | O_CREAT)
            guard try file.tryLock() else { return nil }
            // Somebody may have removed the file in between; a lock on a file without a name excludes nobody.
            if try file.isStillNamed() { return LockFile(file: file) }
        }
    }

    func read() throws(StateError) -> [UInt8] { try file.contents() }

    func write(_ text: LockText) throws(StateError) {
        let bytes = try text.bytes()
        try file.write(bytes, at: 0)
        if try file.size() > bytes.count { try file.truncate(to: bytes.count) }
    }

    func clear() throws(StateError) { try file.truncate(to: 0) }
}
