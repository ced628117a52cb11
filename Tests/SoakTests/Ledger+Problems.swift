import Model
import State

extension Ledger {
    /// For how long somebody else's deed may still change something: a build that was begun by hand is served when it is done.
    private static let reach: Int64 = 600_000

    /// What is wrong between effects and the part of a journal in which their writes stand. Each effect belongs to the write that was
    /// announced last before it. A write has every effect once; one that is recorded as having had none has none; and none is sent again
    /// when it had taken effect and nobody has changed anything since.
    static func problems(in system: String, _ effects: [Effect], _ deeds: [Deed], _ records: some Sequence<JournalRecord>) -> [String] {
        var problems: [String] = []
        var endings: [String: JournalEntry.Receipt.Ending] = [:]
        var intents: [String: [Intent]] = [:]
        for record in records {
            switch record.entry {
            case .intent(let intent): intents[intent.resource.name, default: []].append(intent)
            case .receipt(let receipt): endings[receipt.intent] = receipt.ending
            default: break
            }
        }
        var had: [String: [Effect]] = [:]
        for effect in effects {
            guard let intent = intents[effect.part.name]?.last(where: { $0.written.millisecondsSinceEpoch <= effect.at }) else {
                problems.append("\(effect) at \(effect.at): no write was announced")
                continue
            }
            had[intent.id, default: []].append(effect)
        }
        for (name, intents) in intents.sorted(by: { $0.key < $1.key }) {
            for intent in intents {
                guard let problem = Self.problem(of: had[intent.id] ?? [], endings[intent.id]) else { continue }
                problems.append("\(system)/\(name): \(problem)")
            }
            for (first, second) in zip(intents, intents.dropFirst()) where endings[first.id] == .tookEffect && first.isSame(as: second) {
                let before = had[first.id] ?? []
                let since = first.written.millisecondsSinceEpoch - reach
                for effect in had[second.id] ?? [] where before.contains(where: { $0.what == effect.what }) {
                    guard !deeds.contains(where: { $0.part.name == name && since <= $0.at && $0.at <= effect.at }) else { continue }
                    problems.append("\(system)/\(name): what had taken effect was written once more: \(effect.what) at \(effect.at)")
                }
            }
        }
        return problems
    }

    private static func problem(of effects: [Effect], _ ending: JournalEntry.Receipt.Ending?) -> String? {
        let words = effects.map { "\($0.what) at \($0.at)" }
        if Set(effects.map(\.what)).count < effects.count { return "one write had two effects: \(words)" }
        switch ending {
        case .void, .refused, .throttled, .alreadySo:
            return effects.isEmpty ? nil : "a write that is recorded as \(ending?.rawValue ?? "") had effects: \(words)"
        case .tookEffect, .failed: return nil
        case .accepted, .unknown, nil: return "a write is open still: \(words)"
        }
    }
}

extension Intent {
    /// True if both write the same to the same place.
    fileprivate func isSame(as other: Intent) -> Bool {
        resolution.identity == other.resolution.identity && route.verb == other.route.verb && route.part == other.route.part
            && route.key == other.route.key && fingerprint == other.fingerprint
    }
}
