public import Execution
public import Model
public import Planning

/// How one pass over one system ended.
public struct PassReport: Sendable {
    public var system: SystemID
    public var verdict: Verdict
    /// What was found and planned; nil when the state could not be read.
    public var survey: Survey?
    /// How the steps ended; nil when none was begun.
    public var result: PassResult?
    /// What keeps the system from its pins, the most important first; empty when it is there.
    public var problems: [Problem]
    /// When another pass may do better without anybody's help: how long to wait first. Nil when it would not.
    public var again: Again?

    public enum Again: Sendable, Hashable {
        /// Something is under way, or was superseded.
        case soon
        /// Something failed that often passes by itself.
        case afterBackoff(atLeast: Duration?)
    }

    init(
        _ system: SystemID, _ verdict: Verdict, survey: Survey? = nil, result: PassResult? = nil, problems: [Problem] = [],
        again: Again? = nil
    ) {
        self.system = system
        self.verdict = verdict
        self.survey = survey
        self.result = result
        self.problems = problems
        self.again = again
    }

    /// The transition that this pass leaves open; nil when there is none.
    public var openTransition: Transition? { (result?.state ?? survey?.recorded)?.transition }
}

extension PassReport {
    /// The report of a pass that had a plan.
    init(_ survey: Survey, result: PassResult?) {
        let plan = survey.plan
        let failures = result?.steps.compactMap { entry -> Problem? in entry.outcome.problem } ?? []
        let blocked = plan.blocked.filter { $0.kind != .dependency }
        let problems = failures + blocked.map(\.problem)
        let failed = result?.verdict == .failed || blocked.contains { $0.kind == .failure }
        let undecided = result.map { $0.verdict == .undecided || $0.verdict == .superseded } ?? false
        let waiting = undecided || blocked.contains { $0.kind == .waiting }
        self.init(survey.system.id, .inSync, survey: survey, result: result, problems: problems)
        if failed {
            verdict = .failure
            let causes = failures + blocked.filter { $0.kind == .failure }.map(\.problem)
            if causes.allSatisfy(\.isTransient) { again = .afterBackoff(atLeast: causes.compactMap(\.retryAfter).max()) }
        } else if blocked.contains(where: { $0.kind == .decision }) {
            verdict = .blocked
            if waiting { again = .soon }
        } else if waiting {
            verdict = .failure
            again = result?.retryAfter.map { .afterBackoff(atLeast: $0) } ?? .soon
        } else if !plan.blocked.isEmpty {
            verdict = .failure
        }
    }
}
