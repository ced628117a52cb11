import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What tells one state of files and directories from another.
enum FileContents {
    /// Of a larger file size and time of change stand for what is in it.
    private static let sizeLimit = 4 << 20
    /// Of a tree with more, what is further on does not count.
    private static let countLimit = 20_000

    /// A digest of a file, or of every file below a directory that is not hidden; a word where there is nothing.
    static func identity(of path: String) -> String {
        var hash = SHA256()
        var (pending, count) = ([path], 0)
        while let next = pending.popLast(), count < countLimit {
            count += 1
            var status = stat()
            guard stat(next, &status) == 0 else {
                if next == path { return "missing" }
                continue
            }
            hash.update(data: Array("\(next.utf8.count) \(next) \(status.st_size) ".utf8))
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                // One that cannot be listed is told by whoever reads it.
                let entries = (try? FileManager.default.contentsOfDirectory(atPath: next)) ?? []
                pending += entries.filter { !$0.hasPrefix(".") }.sorted(by: >).map { "\(next)/\($0)" }
            case S_IFREG where status.st_size <= sizeLimit:
                guard let data = FileManager.default.contents(atPath: next) else { fallthrough }
                hash.update(data: data)
            case S_IFREG: hash.update(data: Array("\(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec) \(status.st_ino)".utf8))
            default: break
            }
        }
        return hash.finalize().hexadecimal
    }
}

extension SHA256.Digest {
    var hexadecimal: String {
        map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
