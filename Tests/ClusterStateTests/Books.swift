import JSONValues
import Model
import State

/// What was announced in a journal, what was sent for it, and what came of it, of a system whose components nobody else changes.
struct Books: Sendable {
    /// By component: what had an effect, in its order.
    private var effects: [String: [String]]
    /// By component: how many requests were sent that may have had one.
    private var sent: [String: Int]
    private let records: [JournalRecord]

    /// - Parameters:
    ///   - rollouts: how often the Deployment was changed.
    ///   - promotions: how many requests to serve a deployment have reached the vendor, by its log.
    init(vercel: JSON, fly: JSON, rollouts: Int, promotions: Int, records: [JournalRecord]) {
        self.records = records
        func effects(_ object: JSON?) -> [JSON] {
            (object?["writes"]?.elements ?? []).filter { $0["by"]?.string == "api" && $0["operation"]?.string != "autoAssign" }
        }
        let web = effects(vercel["projects"]?.elements.first).map {
            // Promoted or rolled back to, one is served.
            "production \($0["key"]?.string ?? $0["deployment"]?.string ?? "")"
        }
        let worker = effects(fly["apps"]?.elements.first).filter { $0["operation"]?.string == "update" }.map {
            "\($0["machine"]?.string ?? "") \($0["digest"]?.string ?? "")"
        }
        self.effects = ["web": web, "worker": worker, "api": Array(repeating: "rollout", count: rollouts)]
        sent = ["web": promotions]
    }

    /// Where there is more than was announced, or the same twice in a row.
    var problems: [String] {
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
        for (name, effects) in effects.sorted(by: { $0.key < $1.key }) {
            let announced = intents[name] ?? []
            let effective = announced.count { ![.void, .refused, .throttled, .alreadySo].contains(endings[$0.id]) }
            if effects.count > effective { problems.append("\(name): \(effects.count) effects of \(effective) writes: \(effects)") }
            if effects.isEmpty { problems.append("\(name): nothing happened") }
            if let sent = sent[name], sent > announced.count {
                problems.append("\(name): \(sent) requests for \(announced.count) writes that were announced")
            }
            // Nobody else changes anything, so that what is in place is never to be written.
            if name != "api" { problems += Self.repeated(effects).map { "\(name): twice: \($0)" } }
        }
        return problems
    }

    /// What was done twice to one object with nothing in between. The last word of an effect is what it is changed to.
    private static func repeated(_ effects: [String]) -> [String] {
        var last: [Substring: Substring] = [:]
        return effects.filter { effect in
            let split = effect.lastIndex(of: " ") ?? effect.endIndex
            let (object, value) = (effect[..<split], effect[split...])
            defer { last[object] = value }
            return last[object] == value
        }
    }
}
