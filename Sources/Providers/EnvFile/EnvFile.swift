internal import FoundationEssentials
internal import Model
internal import ProviderKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// One file on disk: read whole, replaced whole. What is written is for its owner alone.
///
/// Blocks: never called where other work waits.
struct EnvFile {
    /// For messages: `envFile/local`.
    let resource: String
    let path: String

    static let limit = 1 << 20
    static let kept = 5

    struct Content {
        /// Where it stands, links followed.
        var path: String
        /// Nil: there is no file yet.
        var bytes: [UInt8]?
        var mode: mode_t = 0o600
        var owner: uid_t = geteuid()
        var group: gid_t = getegid()
    }

    func content() throws(Problem) -> Content {
        guard let real = Self.resolved(path) else { return try missing(errno) }
        // Without waiting: a pipe would keep us until somebody writes to it.
        let descriptor = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(
                "NotAFile", "\(resource): \(path) is \(status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no regular file")",
                next: "name a file in the component's path")
        }
        var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw unreadable(errno) }
            if got == 0 { break }
            count += got
        }
        guard count <= Self.limit else {
            throw Problem("FileTooLarge", "\(resource): \(path) has more than 1 MiB", next: "check that it is the file you mean")
        }
        return Content(
            path: real, bytes: Array(bytes.prefix(count)), mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid)
    }

    /// Puts `bytes` in the place of what was read, after keeping that in a backup. Killed at any point it leaves the old file or the new one.
    /// Returns the backup's path; nil when there was nothing to keep.
    ///
    /// - Parameter time: for the backup's name.
    func replace(_ content: Content, with bytes: [UInt8], at time: Timestamp) throws(Problem) -> String? {
        var backup: String?
        if let old = content.bytes { backup = try keep(old, of: content, at: time) }
        try put(bytes, at: content.path, as: content)
        try prune(content.path)
        return backup
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// A file that is not there can be made in a directory that is.
    private func missing(_ reason: Int32) throws(Problem) -> Content {
        guard reason == ENOENT else { throw unreadable(reason) }
        var status = stat()
        if lstat(path, &status) == 0 {
            throw Problem(
                "LinkBroken", "\(resource): \(path) is a link to a file that is not there", next: "make that file, or remove the link")
        }
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let real = Self.resolved(directory) else {
            throw Problem("DirectoryMissing", "\(resource): there is no directory \(directory)", next: "make it, or correct the path")
        }
        return Content(path: real + "/" + path[(slash.map { path.index(after: $0) } ?? path.startIndex)...], bytes: nil)
    }

    // MARK: - Writing

    private func put(_ bytes: [UInt8], at path: String, as content: Content) throws(Problem) {
        let draft = DraftFile(beside: content.path)
        // Run as root, it stays the file of whom it belonged to.
        let owner = content.owner == geteuid() ? nil : (user: content.owner, group: content.group)
        var reason = draft.fill(bytes, mode: 0o600, owner: owner)
        if reason == 0 { reason = draft.replace(path) }
        guard reason == 0 else {
            draft.remove()
            throw unwritable(reason)
        }
        try synchronizeDirectory(of: path)
    }

    private func synchronizeDirectory(of path: String) throws(Problem) {
        let directory = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unwritable(errno) }
        let reason = fsync(descriptor) == 0 ? 0 : errno
        close(descriptor)
        // Some file systems know no fsync of a directory.
        guard reason == 0 || reason == EINVAL else { throw unwritable(reason) }
    }

    // MARK: - Backups

    private static let mark = ".belay-backup-"

    /// Returns where the old content is kept: in the newest backup, if a killed process had come as far as that.
    private func keep(_ bytes: [UInt8], of content: Content, at time: Timestamp) throws(Problem) -> String {
        if let newest = try backups(of: content.path).last, FileManager.default.contents(atPath: newest).map({ Array($0) }) == bytes {
            return newest
        }
        let stem = content.path + Self.mark + time.wholeSecond.description.filter { $0 != "-" && $0 != ":" }
        var path = stem
        var number = 2
        while access(path, F_OK) == 0 {
            path = stem + (number < 10 ? "-0" : "-") + String(number)
            number += 1
        }
        try put(bytes, at: path, as: content)
        return path
    }

    /// The oldest first.
    private func backups(of path: String) throws(Problem) -> [String] {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let (directory, name) = (path[...slash], path[path.index(after: slash)...])
        do {
            return try FileManager.default.contentsOfDirectory(atPath: String(directory))
                .filter { $0.hasPrefix(name + Self.mark) }.sorted().map { directory + $0 }
        } catch {
            throw Problem(
                "FileUnwritable", "\(resource): the directory of \(self.path) cannot be listed, to find its backups",
                next: "check the directory's permissions")
        }
    }

    private func prune(_ path: String) throws(Problem) {
        // One that cannot be removed costs a few bytes, and is tried again with the next change.
        for old in try backups(of: path).dropLast(Self.kept) { unlink(old) }
    }

    // MARK: - Problems

    private func unreadable(_ reason: Int32) -> Problem {
        Problem(
            "FileUnreadable", "\(resource): \(path) cannot be read: \(String(cString: strerror(reason)))",
            next: "check the path and its permissions")
    }

    private func unwritable(_ reason: Int32) -> Problem {
        Problem(
            "FileUnwritable", "\(resource): \(path) cannot be replaced: \(String(cString: strerror(reason)))",
            next: "check the permissions and the space of its directory")
    }
}
