import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The directory of one clone, which this process alone uses for as long as this is referred to.
///
/// `ROOT/git/KEY/0` and so on, KEY being one for each URL, ref and paths: a process takes the first that nobody else has, so that two
/// processes never fetch into one clone, and one that was killed leaves a clone to the next.
final class GitPlace: Sendable {
    let path: String
    /// Held as long as the process lives, by flock(2).
    private let lock: Int32
    /// The file with the last commit that loaded, for all processes.
    private let good: String
    /// There when the host does not give contents apart from commits.
    private let whole: String

    init(_ address: GitAddress, under root: String) throws(SourceError) {
        let words = [address.url, address.ref ?? ""] + address.paths.sorted()
        let key = SHA256.hash(data: Array(words.joined(separator: "\0").utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        let place = "\(root)/git/\(key)"
        good = "\(place)/good"
        whole = "\(place)/whole"
        (path, lock) = try Self.take(place)
    }

    deinit { close(lock) }

    private static func take(_ place: String) throws(SourceError) -> (String, Int32) {
        var emptied: (String, Int32)?
        for number in 0..<64 {
            let directory = "\(place)/\(number)"
            // An emptied one does as well, but for one further on that is whole.
            if let emptied, !Git.exists(directory) { return emptied }
            do {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw SourceError(
                    .unreadable,
                    "\(directory): the directory for the clone cannot be made; check its permissions, or name another with --state DIR")
            }
            let descriptor = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw SourceError(.unreadable, "\(directory)/lock: cannot be opened: \(String(cString: strerror(errno)))")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                continue
            }
            guard Git.exists("\(directory)/damaged") else {
                if let emptied { close(emptied.1) }
                return (directory, descriptor)
            }
            do {
                for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name != "lock" && name != "damaged" {
                    try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
                }
                try FileManager.default.removeItem(atPath: "\(directory)/damaged")
            } catch {
                close(descriptor)
                throw SourceError(.unreadable, "\(directory): a damaged clone cannot be removed; remove the directory")
            }
            if emptied == nil { emptied = (directory, descriptor) } else { close(descriptor) }
        }
        if let emptied { return emptied }
        throw SourceError(.refused, "\(place): 64 processes use clones of this repository already")
    }

    /// Whoever takes it next begins anew.
    func condemn() { _ = FileManager.default.createFile(atPath: "\(path)/damaged", contents: nil) }

    /// True if the host does not give the contents of files when they are needed, so that all of it is fetched at once.
    var isWhole: Bool { Git.exists(whole) }

    func keepWhole() { _ = FileManager.default.createFile(atPath: whole, contents: nil) }

    /// The last commit that loaded, in this process or another; nil when none is known.
    var goodCommit: String? {
        guard let data = FileManager.default.contents(atPath: good) else { return nil }
        let commit = String(decoding: data, as: UTF8.self).firstLine
        return GitAddress.isCommit(commit) ? commit : nil
    }

    /// Durable when it returns; false if it cannot be kept.
    func keepGood(_ commit: String) -> Bool {
        guard goodCommit != commit else { return true }
        do {
            try Data("\(commit)\n".utf8).write(to: URL(filePath: good), options: .atomic)
            return true
        } catch { return false }
    }
}
