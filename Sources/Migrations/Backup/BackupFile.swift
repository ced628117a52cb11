internal import Crypto
internal import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// An open file that is being made or read; closed, and its lock given back, with the last reference.
final class BackupFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Children do not inherit it. A new file can be read and written by its owner alone.
    init(_ path: String, _ flags: Int32) throws(Problem) {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Problem(errno: errno, "cannot open \(path)") }
    }

    deinit { close(descriptor) }

    /// False when another process is at work on it. Kept until the file is closed; a killed process keeps nothing.
    func tryLock() throws(Problem) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw Problem(errno: errno, "cannot lock \(path)") }
        return false
    }

    func write(_ bytes: [UInt8]) throws(Problem) {
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: count), bytes.count - count, off_t(count))
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw Problem(errno: errno, "cannot write \(path)") }
            count += written
        }
    }

    /// Returning means that the contents survive a loss of power.
    func synchronize() throws(Problem) {
        guard fsync(descriptor) == 0 else { throw Problem(errno: errno, "cannot make \(path) durable") }
    }

    func contents(limit: Int) throws(Problem) -> [UInt8] {
        var all: [UInt8] = []
        try chunks {
            all += $0
            return all.count <= limit
        }
        guard all.count <= limit else {
            throw Problem("BackupDamaged", "\(path) is longer than \(limit) bytes", next: "move it out of the directory of backups")
        }
        return all
    }

    /// At most 256 KiB.
    func beginning() throws(Problem) -> [UInt8] {
        var beginning: [UInt8] = []
        try chunks {
            beginning = $0
            return false
        }
        return beginning
    }

    func begins(with prefix: [UInt8]) throws(Problem) -> Bool {
        var beginning: [UInt8] = []
        try chunks {
            beginning = Array($0.prefix(prefix.count))
            return false
        }
        return beginning == prefix
    }

    /// Length and SHA-256, hexadecimal. Reads the whole file.
    func digest() throws(Problem) -> (bytes: Int, sha256: String) {
        var hash = SHA256()
        var count = 0
        try chunks {
            hash.update(data: $0)
            count += $0.count
            return true
        }
        return (count, hash.finalize().map { String(paddedTo: 2, UInt64($0)) }.joined())
    }

    /// Copies everything to another file.
    func copy(to other: BackupFile) throws(Problem) {
        var offset = 0
        var problem: Problem?
        try chunks { chunk in
            do throws(Problem) { try other.append(chunk, at: offset) } catch { problem = error }
            offset += chunk.count
            return problem == nil
        }
        if let problem { throw problem }
    }

    private func append(_ bytes: [UInt8], at offset: Int) throws(Problem) {
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: count), bytes.count - count, off_t(offset + count))
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw Problem(errno: errno, "cannot write \(path)") }
            count += written
        }
    }

    private func chunks(_ take: ([UInt8]) -> Bool) throws(Problem) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var offset = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Problem(errno: errno, "cannot read \(path)") }
            guard count > 0, take(count == buffer.count ? buffer : Array(buffer[..<count])) else { return }
            offset += count
        }
    }
}

/// Calls on names of files.
enum Files {
    /// Makes the directory and those above it that are missing, for their owner alone.
    static func createDirectory(_ path: String) throws(Problem) {
        var made = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            made += "/" + name
            guard mkdir(made, 0o700) != 0 else { continue }
            let reason = errno
            if reason != EEXIST, access(made, F_OK) != 0 { throw Problem(errno: reason, "cannot make the directory \(made)") }
        }
        guard isDirectory(path) else {
            throw Problem("FileFailed", "\(path) is not a directory", next: "move it away, or keep backups in another directory")
        }
        // One that was there already may be open to others.
        guard chmod(path, 0o700) == 0 || errno == EPERM else { throw Problem(errno: errno, "cannot close the directory \(path) to others") }
    }

    static func names(in directory: String) throws(Problem) -> [String] {
        guard let stream = opendir(directory) else { throw Problem(errno: errno, "cannot read the directory \(directory)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isExecutable(_ path: String) -> Bool { !isDirectory(path) && access(path, X_OK) == 0 }

    /// Nil when there is no such file.
    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    static func rename(_ from: String, to: String) throws(Problem) {
        #if canImport(Glibc)
            let result = Glibc.rename(from, to)
        #elseif canImport(Musl)
            let result = Musl.rename(from, to)
        #endif
        guard result == 0 else { throw Problem(errno: errno, "cannot rename \(from) to \(to)") }
    }

    /// A second name for the same file; one that is there already is not replaced.
    static func link(_ from: String, to: String) throws(Problem) {
        #if canImport(Glibc)
            let result = Glibc.link(from, to)
        #elseif canImport(Musl)
            let result = Musl.link(from, to)
        #endif
        guard result == 0 else { throw Problem(errno: errno, "cannot keep \(from) as \(to)") }
    }

    /// A file that is not there is removed already.
    static func remove(_ path: String) throws(Problem) {
        guard unlink(path) == 0 || errno == ENOENT else { throw Problem(errno: errno, "cannot remove \(path)") }
    }

    /// Makes the names in a directory durable.
    static func synchronizeDirectory(_ path: String) throws(Problem) { try BackupFile(path, O_RDONLY | O_DIRECTORY).synchronize() }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What an unprivileged user may still write to the file system that holds a path; nil where it cannot be told.
    static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        return overflow ? nil : bytes
    }

    /// Owner, group and rights of one file for another.
    static func copyRights(from: String, to: String) throws(Problem) {
        var status = stat()
        guard stat(from, &status) == 0 else { throw Problem(errno: errno, "cannot read \(from)") }
        // Giving a file away takes privileges; a database of one's own needs none.
        guard chown(to, status.st_uid, status.st_gid) == 0 || errno == EPERM else { throw Problem(errno: errno, "cannot give away \(to)") }
        guard chmod(to, status.st_mode & 0o7777) == 0 else { throw Problem(errno: errno, "cannot set the rights of \(to)") }
    }

    /// Device and inode: which file a name means.
    static func identity(_ path: String) -> String? {
        var status = stat()
        return stat(path, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : nil
    }
}

extension Problem {
    /// - Parameter what: the beginning of the message, with the path in it.
    init(errno code: Int32, _ what: String) {
        let message = "\(what): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT, EFBIG:
            self.init("NoSpace", message, next: "make room there, or keep backups in another directory")
        case EACCES, EPERM, EROFS:
            self.init("NotPermitted", message, next: "give this user the right to write there, or keep backups in another directory")
        default:
            self.init("FileFailed", message, next: "check the file system that holds it")
        }
    }
}
