import Model
import ProviderKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// One file on disk: read whole, replaced whole, with its mode and owner kept.
///
/// Blocks: never called where other work waits.
struct FlagFile {
    let path: String

    static let limit = 4 << 20

    /// For messages.
    var place: String { "flagd/\(path)" }

    struct Content {
        /// Where it stands, links followed.
        var path: String
        var text: String
        var status: stat
    }

    enum Failure: Error {
        case nothingWritten(Problem)
        case busy(Problem)
        /// The new file is in place, but may not outlive a power failure.
        case perhapsWritten(Problem)
    }

    func read() throws(Problem) -> Content {
        guard let real = realpath(path, nil) else {
            guard errno == ENOENT else { throw unreadable(errno) }
            throw Problem(
                "FileMissing", "\(place): there is no such file",
                next: "make it with {\"flags\": {}} and let flagd read it, or correct the path: a file that nobody reads turns nothing off")
        }
        defer { free(real) }
        // Without waiting: a pipe would keep us until somebody writes to it.
        let descriptor = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Problem("NotAFile", "\(place): it is no regular file", next: "name a flag definition file of flagd")
        }
        guard status.st_size <= Self.limit else {
            throw Problem("FileTooLarge", "\(place): it has more than 4 MiB", next: "check that it is the file you mean")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= Self.limit {
            let got = chunk.withUnsafeMutableBytes { Self.reading(descriptor, $0) }
            guard got >= 0 else { throw unreadable(errno) }
            if got == 0 { break }
            bytes += chunk.prefix(got)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Problem("FlagsNotUnderstood", "\(place): it is no UTF-8 text", next: "check that it is the file you mean")
        }
        return Content(path: String(cString: real), text: text, status: status)
    }

    /// Replaces the file by what `change` makes of it; true if it made something of it.
    ///
    /// - Parameter change: nil leaves the file alone.
    func edit(_ change: (String) throws(Problem) -> String?) throws(Failure) -> Bool {
        let lock: Int32?
        do throws(Problem) { lock = try takeLock() } catch { throw .nothingWritten(error) }
        guard let lock else {
            throw .busy(
                Problem(
                    "FileBusy", "\(place): another process of Belay is writing in its directory", next: "wait; the next pass tries again",
                    retryAfter: .seconds(2)))
        }
        defer { close(lock) }
        do throws(Problem) {
            let content = try read()
            guard let text = try change(content.text) else { return false }
            try replace(content, with: Array(text.utf8))
        } catch {
            throw .nothingWritten(error)
        }
        // Some file systems know no fsync of a directory.
        guard fsync(lock) == 0 || errno == EINVAL else { throw .perhapsWritten(unwritable(errno)) }
        return true
    }

    // MARK: - Details

    /// A descriptor of the file's directory, locked; nil if another process holds the lock for longer than a second. The lock ends with the
    /// descriptor, hence with the process.
    private func takeLock() throws(Problem) -> Int32? {
        let descriptor = open(Self.directory(of: try read().path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unwritable(errno) }
        for attempt in 0..<50 {
            if attempt > 0 { usleep(20_000) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
        }
        let reason = errno
        close(descriptor)
        guard reason == EWOULDBLOCK || reason == EINTR else { throw unwritable(reason) }
        return nil
    }

    private func replace(_ content: Content, with bytes: [UInt8]) throws(Problem) {
        let draft = DraftFile(beside: content.path)
        let status = content.status
        let isOwn = status.st_uid == geteuid() && status.st_gid == getegid()
        let reason = draft.fill(bytes, mode: status.st_mode & 0o7777, owner: isOwn ? nil : (status.st_uid, status.st_gid))
        do throws(Problem) {
            guard reason == 0 else { throw unwritable(reason) }
            let now = try read()
            guard now.text == content.text, now.status.st_ino == content.status.st_ino else {
                throw Problem(
                    "FlagChanged", "\(place): somebody else wrote the file at the same time; nothing was written",
                    next: "run again: the next pass plans anew")
            }
            let failure = draft.replace(content.path)
            guard failure == 0 else { throw unwritable(failure) }
        } catch {
            draft.remove()
            throw error
        }
    }

    private static func reading(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            #if canImport(Glibc)
                let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                let got = Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            if got >= 0 || errno != EINTR { return got }
        }
    }

    private static func directory(of path: String) -> String { String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) }

    private func unreadable(_ reason: Int32) -> Problem {
        Problem(
            "FileUnreadable", "\(place): it cannot be read: \(String(cString: strerror(reason)))",
            next: "check the path and its permissions")
    }

    private func unwritable(_ reason: Int32) -> Problem {
        Problem(
            "FileUnwritable", "\(place): it cannot be replaced: \(String(cString: strerror(reason)))",
            next: "check the permissions, the owner and the space of its directory")
    }
}
