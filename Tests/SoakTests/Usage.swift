import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a process uses.
struct Usage: Sendable {
    var descriptors: Int
    /// Resident.
    var kilobytes: Int
    var threads: Int

    /// - Parameter process: its id; nil: this one.
    static func now(of process: Int? = nil) throws -> Usage {
        let directory = "/proc/\(process.map(String.init) ?? "self")"
        let status = try String(contentsOf: URL(filePath: directory + "/status"), encoding: .utf8)
        func number(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
        }
        return Usage(
            descriptors: try FileManager.default.contentsOfDirectory(atPath: directory + "/fd").count, kilobytes: number("VmRSS"),
            threads: number("Threads"))
    }
}
