import Synchronization
import TestDoubles
import TestPrograms

/// How a calm was found: what was done until then, and what is in use in it.
struct Finding: Sendable {
    var hours: Double
    var passes: Int
    var strikes: Int
    var requests: Int
    var writes: Int
    var effects: Int
    var usage: ProcessUsage
    /// Bytes.
    var allocated: Int
    var sleepers: Int

    init(_ soak: Soak) throws {
        hours = soak.time.now.offset / .seconds(3600)
        passes = soak.passes.withLock { $0 }
        strikes = soak.strikes.withLock { $0 }
        requests = soak.network.requests
        writes = soak.network.writes
        effects = soak.network.ledger.count
        usage = try .now()
        allocated = ProcessUsage.allocated
        sleepers = soak.time.sleeperCount
    }

    /// As this one, with the least that either has in use.
    func least(with other: Finding) -> Finding {
        var least = self
        least.usage.descriptors = min(usage.descriptors, other.usage.descriptors)
        least.usage.threads = min(usage.threads, other.usage.threads)
        least.usage.kilobytes = min(usage.kilobytes, other.usage.kilobytes)
        least.allocated = min(allocated, other.allocated)
        least.sleepers = min(sleepers, other.sleepers)
        return least
    }

    /// What grew from the second calm to the last one and must not have. Before the second, what is made once is made.
    ///
    /// - Parameter bytes: what may be allocated more in a round, on average.
    static func growth(in findings: [Finding], bytes: Int) -> [String] {
        guard findings.count > 2, let last = findings.last else { return ["there is nothing to compare"] }
        let first = findings[1]
        let bytesMore = (last.allocated - first.allocated) / (findings.count - 2)
        var problems: [String] = []
        if last.usage.descriptors > first.usage.descriptors {
            problems.append("open files: \(first.usage.descriptors), then \(last.usage.descriptors)")
        }
        if last.sleepers > first.sleepers { problems.append("sleeping tasks: \(first.sleepers), then \(last.sleepers)") }
        if bytesMore > bytes { problems.append("memory: \(bytesMore) bytes a round, not \(bytes)") }
        return problems
    }
}

extension Finding: CustomStringConvertible {
    var description: String {
        let tenths = Int(hours * 10)
        return """
            \(tenths / 10).\(tenths % 10) h: \(strikes) strikes, \(passes) passes, \(requests) requests, \(writes) writes, \(effects) effects; \
            \(usage.descriptors) open files, \(usage.threads) threads, \(sleepers) sleeping tasks, \(allocated / 1000) kB allocated, \
            \(usage.kilobytes) kB resident
            """
    }
}
