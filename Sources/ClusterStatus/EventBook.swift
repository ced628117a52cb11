import ClusterSource
import ControlLoop
import Execution
import JSONValues
import Model
import Planning

/// Something that happened to a system, as people are told in the cluster.
struct Happening: Sendable, Hashable {
    var isWarning: Bool
    /// CamelCase.
    var reason: String
    var message: String

    init(_ reason: String, _ message: String, isWarning: Bool = false) {
        self.isWarning = isWarning
        self.reason = reason
        // https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/: at most 1 kB.
        self.message = message.count <= 1000 ? message : message.prefix(999) + "…"
    }
}

extension LoopEvent {
    /// What it is as an event of the cluster, and of which system; nil for what is none.
    var happening: (SystemID, Happening)? {
        switch self {
        case .execution(let system, .stepEnded(let step, .succeeded(let how))) where step.action.isWrite:
            (system, Happening(step.phase.word, "\(step.summary): \(how)"))
        case .execution(let system, .stepEnded(let step, .failed(let problem))):
            (system, Happening(problem.reason, "\(step.summary): \(problem)", isWarning: true))
        case .execution(let system, .drifted(let drift)): (system, Happening("Drifted", drift.sentence, isWarning: true))
        case .ended(let report, _): report.happening.map { (report.system, $0) }
        case .letGo(let ended, _):
            ended.problems.first.map { (ended.system, Happening($0.reason, $0.description, isWarning: true)) }
                ?? (ended.done.isEmpty ? nil : (ended.system, Happening("LetGo", ended.done.joined(separator: "; "))))
        default: nil
        }
    }
}

extension PassReport {
    fileprivate var happening: Happening? {
        switch verdict {
        case .inSync: result.map { _ in Happening("Converged", "\(headline)\(survey.map { " at \($0.revision)" } ?? "")") }
        // That something is still under way is in the status.
        case .failure where again == .soon: nil
        case .failure, .blocked, .changes:
            problems.first.map { Happening($0.reason, "\(headline): \($0)", isWarning: true) }
        }
    }
}

/// Which events were told of which object: the same one is counted, and no object gets more than a person could read.
struct EventBook: Sendable {
    /// What is to be sent.
    enum Entry: Sendable, Hashable {
        case new(name: String)
        case again(name: String, count: Int)
    }

    private struct Key: Hashable {
        var uid: String
        var happening: Happening
    }

    private struct Told {
        var name: String
        var count: Int
        var last: Timestamp
    }

    /// At once; then one a minute.
    static let burst = 50.0
    /// After so long the cluster has forgotten an event: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (event-ttl)
    private static let lifetime = Duration.seconds(3600)

    private var told: [Key: Told] = [:]
    private var allowances: [String: (left: Double, since: Timestamp)] = [:]

    /// What is to be sent of it; nil when the object has had enough.
    mutating func enter(_ happening: Happening, of object: SystemObject, at now: Timestamp) -> Entry? {
        guard takesAllowance(of: object.uid, at: now) else { return nil }
        if told.count >= 2000 { told = told.filter { $0.value.last + Self.lifetime > now } }
        let key = Key(uid: object.uid, happening: happening)
        if var known = told[key], known.last + Self.lifetime > now {
            known.count += 1
            known.last = now
            told[key] = known
            return .again(name: known.name, count: known.count)
        }
        let name = "\(object.id.name.prefix(200)).\(String(UInt64.random(in: .min ... .max), radix: 16))"
        told[key] = Told(name: name, count: 1, last: now)
        return .new(name: name)
    }

    /// The cluster does not know it any more.
    mutating func forget(_ happening: Happening, of object: SystemObject) {
        told[Key(uid: object.uid, happening: happening)] = nil
    }

    private mutating func takesAllowance(of uid: String, at now: Timestamp) -> Bool {
        if allowances.count >= 10_000 { allowances = [:] }
        var (left, since) = allowances[uid] ?? (Self.burst, now)
        let minutes = Double((now - since).components.seconds) / 60
        left = min(Self.burst, left + max(0, minutes))
        let isGranted = left >= 1
        allowances[uid] = (isGranted ? left - 1 : left, now)
        return isGranted
    }
}
