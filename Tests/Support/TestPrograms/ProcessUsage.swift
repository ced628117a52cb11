import CMalloc
import FoundationEssentials

/// What a process uses, as the kernel tells it.
public struct ProcessUsage: Sendable {
    /// Open files, sockets and pipes.
    public var descriptors: Int
    /// Resident memory.
    public var kilobytes: Int
    public var threads: Int

    /// - Parameter process: its id; nil: this one.
    public static func now(of process: Int? = nil) throws -> ProcessUsage {
        let directory = "/proc/\(process.map(String.init) ?? "self")"
        let status = try text(directory + "/status")
        func number(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
        }
        return ProcessUsage(
            descriptors: try FileManager.default.contentsOfDirectory(atPath: directory + "/fd").count, kilobytes: number("VmRSS"),
            threads: number("Threads"))
    }

    /// How many bytes this process has allocated and not given back, whatever of the resident memory is free between them.
    public static var allocated: Int {
        let heap = mallinfo2()
        return heap.uordblks + heap.hblkhd
    }

    /// The processes of a program that were started with an argument.
    public static func processes(of program: String, with argument: String) throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int($0) }.filter { process in
            // It may end while it is looked at.
            guard let line = try? text("/proc/\(process)/cmdline").split(separator: "\0") else { return false }
            return line.first?.hasSuffix(program) == true && line.contains { $0 == argument }
        }
    }

    private static func text(_ path: String) throws -> String { try String(contentsOf: URL(filePath: path), encoding: .utf8) }
}
