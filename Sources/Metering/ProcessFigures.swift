import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension MetricRegistry {
    /// Reads what the kernel counts of this process. A few small reads of `/proc`, which never wait for a disk.
    public func readProcess() {
        if let statistics = Self.words(of: "/proc/self/stat", behind: ") ") {
            // Counted as proc(5) does, less the two words before and the one of the state: utime is 14, stime 15, num_threads 20, starttime 22.
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            func number(_ position: Int) -> Double? { position - 3 < statistics.count ? Double(statistics[position - 3]) : nil }
            if let user = number(14), let system = number(15) { set(.processCPU, to: (user + system) / ticks) }
            if let threads = number(20) { set(.processThreads, to: threads) }
            if let start = number(22), let booted = Self.bootTime { set(.processStart, to: booted + start / ticks) }
        }
        if let pages = Self.words(of: "/proc/self/statm", behind: nil), pages.count > 1 {
            let size = Double(sysconf(Int32(_SC_PAGESIZE)))
            if let virtual = Double(pages[0]) { set(.processVirtual, to: virtual * size) }
            if let resident = Double(pages[1]) { set(.processResident, to: resident * size) }
        }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            set(.processFiles, to: Double(files.count - 1))  // Less the one that reads the directory.
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { set(.processMostFiles, to: Double(limit.rlim_cur)) }
    }

    private static let bootTime: Double? = {
        let lines = FileManager.default.contents(atPath: "/proc/stat").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return lines.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }()

    private static func words(of path: String, behind mark: String?) -> [Substring]? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let mark else { return text.split(separator: " ") }
        // The program's name, which may hold anything, is in parentheses.
        return text.ranges(of: mark).last.map { text[$0.upperBound...].split(separator: " ") }
    }
}
