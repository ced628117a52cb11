import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension MigrationSource {
    /// The most files that a directory may hold, whatever they are.
    static let countLimit = 20_000
    /// The largest single file, in bytes.
    static let sizeLimit = 16 << 20

    /// Every file under a directory, sorted by path. Hidden entries are left out; a link counts where it leads to a file, and links to
    /// directories are not followed. What can be no part of a migration (`README.md`, programs) comes without its bytes.
    public static func all(under path: String) throws(MigrationFileErrors) -> [MigrationSource] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw mistake("DirectoryMissing", "\(path): no such directory; create it, or correct migrations.path")
        }
        guard isDirectory else {
            throw mistake("NotADirectory", "\(path) is a file; migrations.path names the directory of the migrations")
        }
        let base = path.hasSuffix("/") ? path : path + "/"
        var found: [MigrationSource] = []
        for name in try names(under: base) { found.append(try read(name, base)) }
        return found
    }

    private static func names(under base: String) throws(MigrationFileErrors) -> [String] {
        var found: [String] = []
        var pending = [""]
        while let folder = pending.popLast() {
            let entries: [String]
            do {
                entries = try FileManager.default.contentsOfDirectory(atPath: base + folder)
            } catch {
                throw mistake("Unreadable", path: folder, "\(base)\(folder): the directory cannot be read; check its permissions")
            }
            for entry in entries where !entry.hasPrefix(".") {
                switch kind(of: base + folder + entry) {
                case .directory: pending.append(folder + entry + "/")
                case .file: found.append(folder + entry)
                case .other: break
                }
                guard found.count + pending.count <= countLimit else {
                    throw mistake("TooManyFiles", "\(base): more than \(countLimit) files; is this the directory of the migrations?")
                }
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private enum Kind { case file, directory, other }

    private static func kind(of path: String) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .other }
        // A mounted ConfigMap shows its files as links.
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

    private static func read(_ name: String, _ base: String) throws(MigrationFileErrors) -> MigrationSource {
        guard [".sql", ".sql.conf", "metadata.toml"].contains(where: name.hasSuffix) else { return MigrationSource(path: name, bytes: []) }
        guard let file = fopen(base + name, "re") else {
            throw mistake("Unreadable", path: name, "the file cannot be opened; check its permissions")
        }
        defer { fclose(file) }
        var status = stat()
        // One read for most files: a buffer that its contents do not fill is its end.
        let size = fstat(fileno(file), &status) == 0 ? Int(status.st_size) : 0
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(size + 1, 1 << 10), 1 << 16))
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            bytes += chunk[..<count]
            guard bytes.count <= sizeLimit else {
                throw mistake("FileTooLarge", path: name, "it has more than \(sizeLimit >> 20) MB; data that large is loaded, not migrated")
            }
            if count < chunk.count {
                guard ferror(file) == 0 else { throw mistake("Unreadable", path: name, "the file cannot be read to its end") }
                return MigrationSource(path: name, bytes: bytes)
            }
        }
    }

    private static func mistake(_ reason: String, path: String = "", _ message: String) -> MigrationFileErrors {
        MigrationFileErrors([Mistake(reason, path: path, message)])
    }
}
