public import HTTPCore
public import Model

/// How one check ended that was run by itself, outside of a pass.
public struct CheckReport: Sendable, Hashable {
    public var check: Check
    /// Nil when it passed.
    public var problem: Problem?
}

/// Runs checks now, side by side, each for at most `limit`; in their order.
public func runChecks(
    _ checks: [Check], of subject: String, within limit: Duration, transport: any Transport, clock: any Clock<Duration>
) async -> [CheckReport] {
    let runner = CheckRunner(transport: transport, time: PassTime(clock), pace: Pace())
    return await withTaskGroup(of: (Int, CheckReport).self) { group in
        for (index, check) in checks.enumerated() {
            group.addTask {
                let problem = await runner.run([check], of: subject, limit: limit) { _ in }
                return (index, CheckReport(check: check, problem: problem))
            }
        }
        var reports: [Int: CheckReport] = [:]
        for await (index, report) in group { reports[index] = report }
        return reports.sorted { $0.key < $1.key }.map(\.value)
    }
}
