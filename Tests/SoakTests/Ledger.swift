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

    /// Something that somebody else did to a part.
    struct Deed: Sendable {
        var at: Int64
        var part: Part
    }

    private struct State {
        /// How many lines of the books were seen, by vendor and object.
        var seen: [String: Int] = [:]
        var effects: [Effect] = []
        var deeds: [Deed] = []
        var count = 0
        /// By system.
        var judged: [String: Int] = [:]
    }

    private let vendors: Vendors
    private let state = Mutex(State())

    init(_ vendors: Vendors) { self.vendors = vendors }

    /// How many effects were seen.
    var count: Int { state.withLock { $0.count } }

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
            state.count += new.count
            return new
        }
    }

    /// Somebody else has done something to an object.
    func meddled(with object: String, at vendor: String, _ now: Int64) async {
        await look(at: vendor, nil)
        state.withLock { state in
            state.deeds += Part.all.filter { $0.target == (vendor, object) }.map { Deed(at: now, part: $0) }
        }
    }

    /// What is wrong between the effects since the last time and the journal.
    func judge(_ system: String, _ records: [JournalRecord]) -> [String] {
        let (effects, deeds, judged) = state.withLock { state in
            let own = state.effects.filter { $0.part.system == system }
            state.effects.removeAll { $0.part.system == system }
            let judged = state.judged[system] ?? 0
            state.judged[system] = records.count
            return (own, state.deeds.filter { $0.part.system == system }, judged)
        }
        // Calm as it is, no write is open from before.
        return Self.problems(in: system, effects, deeds, records.dropFirst(judged))
    }
}
