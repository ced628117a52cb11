public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Who works on a system, as others are told.
public struct LockHolder: Sendable, Hashable, Codable {
    public var user: String
    public var host: String
    /// The running kernel's own id: two processes with the same one see each other's file locks, in whatever containers they run.
    public var boot: String
    public var pid: Int
    /// For people: `reconcile --once`; holds no secret.
    public var command: String
    public var since: Timestamp

    public init(user: String, host: String, boot: String, pid: Int, command: String, since: Timestamp) {
        self.user = user
        self.host = host
        self.boot = boot
        self.pid = pid
        self.command = command
        self.since = since
    }

    /// This process.
    public static func current(command: String, environment: [String: String], since: Timestamp) -> LockHolder {
        var name = [CChar](repeating: 0, count: 256)
        let isNamed = gethostname(&name, name.count - 1) == 0
        let host = isNamed ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "unknown"
        // https://docs.kernel.org/admin-guide/sysctl/kernel.html#random
        let boot = try? OpenFile("/proc/sys/kernel/random/boot_id", O_RDONLY).contents(limit: 64)  // Without it the host's name must do.
        let id = boot.map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } } ?? ""
        return LockHolder(
            user: environment["USER"] ?? environment["LOGNAME"] ?? "uid \(getuid())", host: host, boot: id.isEmpty ? host : id,
            pid: Int(getpid()), command: command, since: since)
    }
}

extension LockHolder: CustomStringConvertible {
    /// `ann@build-7, process 4711 (reconcile --once), since 2026-11-23T03:04:05Z`.
    public var description: String { "\(user)@\(host), process \(pid) (\(command)), since \(since)" }
}
