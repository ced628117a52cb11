import FoundationEssentials
import SpecLoading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads spec files from the file system, within bounds.
struct PathReader: Sendable {
    /// The largest single file, in bytes.
    var fileLimit = 4 << 20
    /// The most files that one tree may hold.
    var countLimit = 20_000

    /// The files at a path: itself, or every `.yaml` and `.yml` below it. Hidden entries are left out, links to directories are not followed.
    func files(at path: String) throws(SourceError) -> [SourceFile] {
        if path == "-" { return [SourceFile(name: "<stdin>", bytes: try read(descriptor: 0, name: "<stdin>"))] }
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw SourceError(
                .notFound, "\(path): no such file or directory; name a spec file, a directory of them, or - for standard input")
        }
        guard isDirectory else { return [SourceFile(name: path, bytes: try read(path: path))] }
        let names = try specNames(below: path)
        guard !names.isEmpty else {
            throw SourceError(.noFiles, "\(path): no .yaml or .yml file in this directory tree; is this the directory of the specs?")
        }
        var files: [SourceFile] = []
        for name in names { files.append(SourceFile(name: name, bytes: try read(path: name), isExplicit: false)) }
        return files
    }

    private func specNames(below directory: String) throws(SourceError) -> [String] {
        let base = directory.hasSuffix("/") ? directory : directory + "/"
        var found: [String] = []
        var pending = [base]
        while let next = pending.popLast() {
            let entries: [String]
            do {
                entries = try FileManager.default.contentsOfDirectory(atPath: next)
            } catch {
                throw SourceError(.unreadable, "\(next): the directory cannot be read; check its permissions")
            }
            for entry in entries.sorted() where !entry.hasPrefix(".") {
                let path = next + entry
                switch Self.kind(of: path) {
                case .directory: pending.append(path + "/")
                case .file where entry.hasSuffix(".yaml") || entry.hasSuffix(".yml"): found.append(path)
                default: break
                }
                guard found.count <= countLimit else {
                    throw SourceError(.tooLarge, "\(directory): more than \(countLimit) spec files; name a smaller directory")
                }
            }
        }
        return found.sorted()
    }

    private enum Kind { case file, directory, other }

    private static func kind(of path: String) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .other }
        // A mounted ConfigMap shows its files as links: a link counts when it leads to a file.
        if status.st_mode & S_IFMT == S_IFLNK {
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .other }
            return .file
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .file
        default: return .other
        }
    }

    /// True for what stands in a tree in the place of a file that Git LFS keeps:
    /// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer
    static func isPointer(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let start = "version https://git-lfs.github.com/spec/"
        var bytes = [UInt8](repeating: 0, count: start.utf8.count)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count == bytes.count && bytes.elementsEqual(start.utf8)
    }

    private func read(path: String) throws(SourceError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SourceError(.unreadable, "\(path): cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, name: path)
    }

    private func read(descriptor: Int32, name: String) throws(SourceError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let capacity = chunk.count
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, capacity) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SourceError(.unreadable, "\(name): cannot be read: \(String(cString: strerror(errno)))") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= fileLimit else {
                throw SourceError(.tooLarge, "\(name): larger than \(fileLimit >> 20) MiB; a spec file is a few kilobytes")
            }
        }
    }
}
