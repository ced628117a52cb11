#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file beside another one whose place it takes once it is whole: whoever reads sees the one or the other.
///
/// Blocks: never used where other work waits. What fails is told as the number of the error; 0 is none.
public struct DraftFile: Sendable {
    private let path: String

    /// Its name is the same every time: what a killed process left is taken away by the next one.
    public init(beside file: String) { path = file + ".belay-new" }

    /// Makes it anew, durably, with these bytes.
    ///
    /// - Parameter owner: nil leaves it to whom the process runs as.
    public func fill(_ bytes: [UInt8], mode: UInt32, owner: (user: UInt32, group: UInt32)?) -> Int32 {
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // The owner first: a change of owner may take rights away. The mode in any case: the umask may have taken some.
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 { return errno }
        guard fchmod(descriptor, mode) == 0 else { return errno }
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return written < 0 ? errno : EIO }
            count += written
        }
        return fsync(descriptor) == 0 ? 0 : errno
    }

    /// Gives it the name of a file that may be there. That this outlives a power failure is the directory's affair.
    public func replace(_ file: String) -> Int32 { rename(path, file) == 0 ? 0 : errno }

    public func remove() { unlink(path) }
}
