import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A spec file on the disk that is replaced as a whole.
struct SpecFile: Sendable {
    /// As it was named.
    let name: String
    /// Without links: a link stays one, and what it leads to is replaced.
    private let path: String

    init(_ name: String) {
        self.name = name
        path = URL(filePath: name).resolvingSymlinksInPath().path
    }

    /// Puts `new` in the place of `old`, durably: whoever reads sees the one or the other. Owner and permissions stay.
    func replace(_ old: [UInt8], with new: [UInt8]) throws(SpecFileError) {
        guard FileManager.default.contents(atPath: path).map({ [UInt8]($0) }) == old else {
            throw SpecFileError("\(name): somebody changed it in the meantime; nothing was written, repeat the command")
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("cannot be looked at") }
        guard access(path, W_OK) == 0 else { throw failure("cannot be written") }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        let temporary = "\(directory)/.\(path[path.index(after: slash)...]).belay-\(UInt32.random(in: .min ... .max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("no file can be made beside it") }
        do throws(SpecFileError) {
            defer { close(descriptor) }
            try write(new, to: descriptor)
            // Another owner is kept where that is allowed; a file of one's own needs it not.
            if status.st_uid != geteuid() || status.st_gid != getegid() { _ = fchown(descriptor, status.st_uid, status.st_gid) }
            guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else { throw failure("its permissions cannot be kept") }
            guard fsync(descriptor) == 0 else { throw failure("cannot be written durably") }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let error = failure("cannot be replaced")
            unlink(temporary)
            throw error
        }
        let folder = open(directory, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("is replaced, and not known to be durable") }
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(SpecFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot be written") }
            rest = rest.dropFirst(count)
        }
    }

    private func failure(_ what: String) -> SpecFileError {
        SpecFileError("\(name): \(what): \(String(cString: strerror(errno))); the file is as it was")
    }
}

/// Why a spec file could not be replaced.
struct SpecFileError: Error {
    var message: String

    init(_ message: String) { self.message = message }
}
