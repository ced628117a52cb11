#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

enum FileProbe {
    /// False only where there certainly is none.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno != ENOENT }
}
