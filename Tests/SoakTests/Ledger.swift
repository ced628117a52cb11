import Model
import State
import Synchronization

/// Which write had which effect, by the vendors' own books.
final class Ledger: Sendable {
    struct Effect: Sendable, CustomStringConvertible {
        /// The vendor's clock, which is also Belay's.
        var at: Int64
        var part: Part
        var what: String

        var description: String { "effect: \(part.id) \(what)" }
    }

    private struct State {
        /// How many lines of the books were seen, by vendor and object.
        var seen: [String: Int] = [:]
        var effects: [Effect] = []
        /// By system.
        var judged: [String: Int] = [:]
    }

    private let vendors: Vendors
    private let state = Mutex(State())

    init(_ vendors: Vendors) { self.vendors = vendors }

    /// Reads what is new in the books; returns it.
    ///
    /// - Parameter now: nil for what somebody else did.
    @discardableResult func look(at vendor: String, _ now: Int64?) async -> [Effect] {
        let books = await vendors.effects(at: vendor)
        return state.withLock { state in
            var new: [Effect] = []
            for part in Part.all where part.target.vendor == vendor {
                let lines = books[part.target.object] ?? []
                let key = "\(vendor) \(part.target.object)"
                if let now { new += lines.dropFirst(state.seen[key] ?? 0).map { Effect(at: now, part: part, what: $0) } }
                state.seen[key] = lines.count
            }
            state.effects += new
            return new
        }
    }

    /// What is wrong between the effects since the last time and the journals: each belongs to the write that was announced last before it,
    /// a write has every effect once, and one that is recorded as having had none has none.
    func judge(_ system: String, _ records: [JournalRecord]) -> [String] {
        let (effects, judged) = state.withLock { state in
            let own = state.effects.filter { $0.part.system == system }
            state.effects.removeAll { $0.part.system == system }
            let judged = state.judged[system] ?? 0
            state.judged[system] = records.count
            return (own, judged)
        }
        var problems: [String] = []
        // Calm as it is, no write is open from before.
        let fresh = records.dropFirst(judged)
        var endings: [String: JournalEntry.Receipt.Ending] = [:]
        var intents: [String: [Intent]] = [:]
        for record in fresh {
            switch record.entry {
            case .intent(let intent): intents[intent.resource.name, default: []].append(intent)
            case .receipt(let receipt): endings[receipt.intent] = receipt.ending
            default: break
            }
        }
        var had: [String: [Effect]] = [:]
        for effect in effects {
            guard
                let intent = intents[effect.part.name]?.last(where: { $0.written.millisecondsSinceEpoch <= effect.at })
            else {
                problems.append("\(effect) at \(effect.at): no write was announced")
                continue
            }
            had[intent.id, default: []].append(effect)
        }
        for intent in intents.values.joined() {
            let own = had[intent.id] ?? []
            let words = own.map { "\($0.what) at \($0.at)" }
            if Set(own.map(\.what)).count < own.count {
                problems.append("\(system)/\(intent.resource.name): one write had two effects: \(words)")
            }
            switch endings[intent.id] {
            case .void, .refused, .throttled, .alreadySo:
                if !own.isEmpty {
                    problems.append(
                        "\(system)/\(intent.resource.name): a write that is recorded as \(endings[intent.id]?.rawValue ?? "") had effects: \(words)"
                    )
                }
            case .tookEffect, .failed: break
            case .accepted, .unknown, nil: problems.append("\(system)/\(intent.resource.name): a write is open still: \(words)")
            }
        }
        return problems
    }
}
