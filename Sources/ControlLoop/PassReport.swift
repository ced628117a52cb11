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
    /// What happened on the way, in this pass and in those of the same run before it.
    var events = PassEvents()

    public enum Again: Sendable, Hashable {
        /// Something is under way.
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
        let outcomes = result?.steps.map(\.outcome) ?? []
        // What waits for another resource is told by that one; when there is none, it has to speak for itself.
        let roots = survey.plan.blocked.filter { $0.kind != .dependency }
        let blocked = roots.isEmpty ? survey.plan.blocked : roots
        let failures = outcomes.compactMap(\.failure) + blocked.filter { $0.kind == .failure }.map(\.problem)
        let isUnderWay = result?.verdict == .undecided || blocked.contains { $0.kind == .waiting }
        self.init(
            survey.system.id, .inSync, survey: survey, result: result,
            problems: Self.each(outcomes.compactMap(\.problem) + blocked.map(\.problem)))
        events = PassEvents(survey, result)
        if !failures.isEmpty, failures.allSatisfy(\.isBusyElsewhere) {
            // Locked, as when somebody else holds the system's own lock; free when that one has ended, or is known to be dead.
            verdict = .blocked
            again = .soon
        } else if !failures.isEmpty {
            verdict = .failure
            if failures.allSatisfy(\.isTransient) { again = .afterBackoff(atLeast: failures.compactMap(\.retryAfter).max()) }
        } else if result?.verdict == .superseded {
            verdict = .blocked
            problems.append(.superseded(survey))
        } else if isUnderWay {
            verdict = blocked.contains { $0.kind == .decision } ? .blocked : .failure
            again = outcomes.contains { $0.problem?.isTransient == true } ? .afterBackoff(atLeast: result?.retryAfter) : .soon
            if problems.isEmpty { problems += outcomes.compactMap(\.reasonNotToBegin).prefix(1).map { .unfinished(survey, $0) } }
        } else if !blocked.isEmpty {
            verdict = .blocked
        }
    }

    /// The report of a pass that was refused; what fails beside that is told as well.
    init(refused survey: Survey, _ problem: Problem) {
        let failures = survey.plan.blocked.filter { $0.kind == .failure }.map(\.problem)
        self.init(survey.system.id, failures.isEmpty ? .blocked : .failure, survey: survey, problems: Self.each([problem] + failures))
        events = PassEvents(survey, nil)
    }

    /// What several flags share is told once.
    private static func each(_ problems: [Problem]) -> [Problem] {
        var seen: Set<Problem> = []
        return problems.filter { seen.insert($0).inserted }
    }

    /// The report of a pass that was cancelled before it had a plan.
    static func interrupted(_ system: SystemID) -> PassReport {
        PassReport(
            system, .failure, problems: [.interrupted(system)])
    }
}

extension Problem {
    static func interrupted(_ system: SystemID) -> Problem {
        Problem("Interrupted", "\(system): the pass was interrupted", next: "run it again")
    }
}

extension Outcome {
    fileprivate var failure: Problem? {
        guard case .failed(let problem) = self else { return nil }
        return problem
    }

    fileprivate var reasonNotToBegin: String? {
        guard case .skipped(let reason) = self else { return nil }
        return reason
    }
}

extension Problem {
    fileprivate static func superseded(_ survey: Survey) -> Problem {
        Problem(
            "Superseded", "\(survey.system.id): a newer revision than \(survey.revision) is there; what was not begun is left to it",
            next: "run it again with the newer revision")
    }

    fileprivate static func unfinished(_ survey: Survey, _ reason: String) -> Problem {
        Problem("Unfinished", "\(survey.system.id): \(reason)", next: "run it again, it goes on from here")
    }
}
