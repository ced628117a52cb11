internal import HTTPCore
internal import Model

/// Runs HTTP checks.
struct CheckRunner: Sendable {
    var transport: any Transport
    var time: PassTime
    var pace: Pace

    /// Runs all of them side by side. Returns the failure of the first one, in their order, that failed.
    func run(_ checks: [Check], of subject: String, limit: Duration, progress: @escaping @Sendable (String) -> Void) async -> Problem? {
        await withTaskGroup(of: (Int, Problem?).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await run(check, of: subject, limit: limit, progress: progress)) }
            }
            var failures: [Int: Problem] = [:]
            for await (index, problem) in group { failures[index] = problem }
            return failures.min { $0.key < $1.key }?.value
        }
    }

    private func run(_ check: Check, of subject: String, limit: Duration, progress: @Sendable (String) -> Void) async -> Problem? {
        let start = time.elapsed
        let within = min(check.within, limit)
        let name = "\(subject): the check of \(Check.shown(check.url))"
        var successes = 0
        var lastFlaw: String?
        while true {
            let flaw = await attempt(check)
            if Task.isCancelled { return Problem("Interrupted", "\(name) was interrupted", next: "the next pass runs it again") }
            if let flaw {
                successes = 0
                if flaw != lastFlaw { progress("check of \(Check.shown(check.url)): \(flaw)") }
                lastFlaw = flaw
            } else {
                successes += 1
                if successes >= check.consecutive { return nil }
            }
            let left = within - (time.elapsed - start)
            guard left > .zero else {
                let count = successes > 0 ? "passed \(successes) times in a row of the \(check.consecutive) it needs" : nil
                let saw = [count, lastFlaw.map { successes > 0 ? "before that it \($0)" : $0 }].compactMap { $0 }.joined(separator: "; ")
                return Problem(
                    "CheckFailed", "\(name) failed for \(within): it \(saw)",
                    next: "look at what it answers, or pin another release; the next pass runs the check again")
            }
            do {
                try await time.sleep(min(max(check.every, .milliseconds(100)), left))
            } catch {
                return Problem("Interrupted", "\(name) was interrupted", next: "the next pass runs it again")
            }
        }
    }

    /// What was wrong with the answer; nil when nothing was.
    private func attempt(_ check: Check) async -> String? {
        let request = HTTPRequest(
            .get, check.url, headers: ["User-Agent": "belay", "Accept": "*/*"], connectDeadline: pace.checkAttempt,
            deadline: pace.checkAttempt, bodyLimit: 1 << 20)
        do throws(TransportError) {
            return check.flaw(of: try await transport.send(request))
        } catch {
            return "gave no answer: \(error.message)"
        }
    }
}
