import HTTPCore

/// One thing that must be so for a process to be alive, or ready.
public struct HealthCheck: Sendable, Hashable {
    /// In one word: `loop`.
    public var name: String
    /// What is wrong; nil when nothing is.
    public var problem: String?

    public init(_ name: String, problem: String? = nil) {
        self.name = name
        self.problem = problem
    }
}

extension [HealthCheck] {
    /// 200 when every check passed, else 503 with what did not, in the form that Kubernetes' own components have.
    ///
    /// - Parameter verbose: tells those that passed as well.
    func response(of endpoint: String, verbose: Bool) -> HTTPResponse {
        let isGood = allSatisfy { $0.problem == nil }
        guard verbose || !isGood else { return .text(200, "ok\n") }
        var text = ""
        for check in self {
            if let problem = check.problem { text += "[-]\(check.name): \(problem)\n" } else { text += "[+]\(check.name) ok\n" }
        }
        return .text(isGood ? 200 : 503, text + "\(endpoint) check \(isGood ? "passed" : "failed")\n")
    }
}
