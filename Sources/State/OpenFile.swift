#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// An open file; closed, and its lock given back, with the last reference.
final class OpenFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Children that the process starts do not inherit it. A new file can be read and written by its owner alone.
    init(_ path: String, _ flags: Int32) throws(StateError) {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateError(errno: errno, "cannot open \(path)", path: path) }
    }

    /// Nil when there is no such file.
    static func existing(_ path: String, _ flags: Int32) throws(StateError) -> OpenFile? {
        guard access(path, F_OK) == 0 || errno != ENOENT else { return nil }
        return try OpenFile(path, flags)
    }

    deinit { close(descriptor) }

    func size() throws(StateError) -> Int { Int(try status().st_size) }

    /// - Parameter limit: for files whose size the kernel does not tell; nil reads as much as the size says.
    func contents(limit: Int? = nil) throws(StateError) -> [UInt8] {
        let size = if let limit { limit } else { try self.size() }
        var bytes = [UInt8](repeating: 0, count: size)
        var count = 0
        while count < size {
            let read = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress?.advanced(by: count), size - count, off_t(count)) }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw StateError(errno: errno, "cannot read \(path)", path: path) }
            if read == 0 { break }
            count += read
        }
        return Array(bytes.prefix(count))
    }

    /// Writes at the end, or where `offset` says. After an error some of the bytes may be there.
    func write(_ bytes: [UInt8], at offset: Int? = nil) throws(StateError) {
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[count...])
                return if let offset {
                    pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + count))
                } else {
                    Self.append(descriptor, rest)
                }
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw StateError(errno: errno, "cannot write \(path)", path: path) }
            count += written
        }
    }

    /// Returning means that the contents survive a loss of power.
    func synchronize() throws(StateError) {
        guard fsync(descriptor) == 0 else { throw StateError(errno: errno, "cannot make \(path) durable", path: path) }
    }

    func truncate(to length: Int) throws(StateError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw StateError(errno: errno, "cannot shorten \(path)", path: path) }
    }

    /// False when somebody else holds it.
    func tryLock() throws(StateError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw StateError(errno: errno, "cannot lock \(path)", path: path) }
        return false
    }

    /// True when somebody holds it. Whoever tries to take it at this very moment finds it taken.
    func isLocked() throws(StateError) -> Bool {
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw StateError(errno: errno, "cannot lock \(path)", path: path) }
            return true
        }
        flock(descriptor, LOCK_UN)
        return false
    }

    /// False if the name has come to mean another file, or none, since it was opened.
    func isStillNamed() throws(StateError) -> Bool {
        var named = stat()
        let own = try status()
        return stat(path, &named) == 0 && named.st_ino == own.st_ino && named.st_dev == own.st_dev
    }

    private func status() throws(StateError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StateError(errno: errno, "cannot read \(path)", path: path) }
        return status
    }

    /// Outside of the type's scope `write` means the system's.
    private static func append(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}

extension StateError {
    /// - Parameter what: the beginning of the message, with the path in it.
    init(errno code: Int32, _ what: String, path: String) {
        let message = "\(what): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT, EFBIG:
            self.init(.noSpace, message, next: "make room there, or keep the state elsewhere with --state DIR", path: path)
        case EACCES, EPERM, EROFS:
            self.init(
                .notPermitted, message, next: "give this user the right to write there, or keep the state elsewhere with --state DIR",
                path: path)
        case ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP:
            self.init(.noPlace, message, next: "name a directory with --state DIR", path: path)
        default:
            self.init(.failed, message, next: "check the file system that holds it", path: path)
        }
    }
}
