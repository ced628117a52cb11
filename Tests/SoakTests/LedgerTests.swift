import Model
import State
import Testing

/// What the ledger says of effects and a journal that were made up.
@Suite struct LedgerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var entries: [JournalEntry]
        /// What took effect and when, in seconds.
        var effects: [(Int64, String)] = []
        /// When somebody else did something.
        var deeds: [Int64] = []
        var problems: [String] = []

        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "one write, one effect", entries: [write(1), receipt(1, .tookEffect)], effects: [(2, "rollout")]),
        Case(
            why: "one write, two effects of different kinds", entries: [write(1), receipt(1, .tookEffect)],
            effects: [(2, "update a"), (3, "update b")]),
        Case(
            why: "the same effect twice", entries: [write(1), receipt(1, .tookEffect)], effects: [(2, "rollout"), (3, "rollout")],
            problems: ["shop/api: one write had two effects: [\"rollout at 2000\", \"rollout at 3000\"]"]),
        Case(
            why: "an effect before the first write", entries: [write(5), receipt(5, .tookEffect)], effects: [(2, "rollout")],
            problems: ["effect: shop/api rollout at 2000: no write was announced"]),
        Case(
            why: "an effect of nobody", entries: [], effects: [(2, "rollout")],
            problems: ["effect: shop/api rollout at 2000: no write was announced"]),
        Case(why: "a write without a receipt", entries: [write(1)], problems: ["shop/api: a write is open still: []"]),
        Case(
            why: "a write that was accepted, and no more", entries: [write(1), receipt(1, .accepted)], effects: [(2, "rollout")],
            problems: ["shop/api: a write is open still: [\"rollout at 2000\"]"]),
        Case(
            why: "a write that is said to be void", entries: [write(1), receipt(1, .unknown), receipt(1, .void)], effects: [(2, "rollout")],
            problems: ["shop/api: a write that is recorded as void had effects: [\"rollout at 2000\"]"]),
        Case(
            why: "a write that is said to have been throttled", entries: [write(1), receipt(1, .throttled)], effects: [(2, "rollout")],
            problems: ["shop/api: a write that is recorded as throttled had effects: [\"rollout at 2000\"]"]),
        Case(
            why: "sent again when the first was void", entries: [write(1), receipt(1, .void), write(5), receipt(5, .tookEffect)],
            effects: [(6, "rollout")]),
        Case(
            why: "sent again when the first had taken effect",
            entries: [write(1), receipt(1, .tookEffect), write(5), receipt(5, .tookEffect)], effects: [(2, "rollout"), (6, "rollout")],
            problems: ["shop/api: what had taken effect was written once more: rollout at 6000"]),
        Case(
            why: "sent again when somebody had changed it",
            entries: [write(1), receipt(1, .tookEffect), write(5), receipt(5, .tookEffect)],
            effects: [(2, "rollout"), (6, "rollout")], deeds: [3]),
        Case(
            why: "sent again when somebody changes it afterwards",
            entries: [write(1), receipt(1, .tookEffect), write(5), receipt(5, .tookEffect)], effects: [(2, "rollout"), (6, "rollout")],
            deeds: [7], problems: ["shop/api: what had taken effect was written once more: rollout at 6000"]),
        Case(
            why: "sent again when the first had failed", entries: [write(1), receipt(1, .failed), write(5), receipt(5, .tookEffect)],
            effects: [(2, "rollout"), (6, "rollout")]),
        Case(
            why: "there and back and there",
            entries: [
                write(1), receipt(1, .tookEffect), write(3, to: "v2"), receipt(3, .tookEffect), write(5), receipt(5, .tookEffect),
            ], effects: [(2, "rollout"), (4, "rollout"), (6, "rollout")]),
    ]

    @Test(arguments: cases) func itNamesWhatIsWrong(_ example: Case) throws {
        var records: [JournalRecord] = []
        for entry in example.entries { records.append(try JournalRecord.line(entry, at: .zero, after: records.last).record) }
        let part = try #require(Part.all.first { $0.id == "shop/api" })
        let problems = Ledger.problems(
            in: "shop", example.effects.map { .init(at: $0.0 * 1000, part: part, what: $0.1) },
            example.deeds.map { .init(at: $0 * 1000, part: part) }, records)
        #expect(problems == example.problems)
    }

    /// - Parameter second: when it is sent, which is also what it is called.
    private static func intent(_ second: Int64, to tag: String = "v1") -> Intent {
        Intent(
            id: "write \(second)", resource: .component("api"),
            route: Route(.redeploy, means: "rollout", class: .minutes, token: "", isIdempotent: true),
            resolution: Resolution(
                pin: .name(tag), identity: ArtifactIdentity(.image, tag), label: tag, revision: Revision(.commit, "1")),
            providerTime: nil, written: Timestamp(millisecondsSinceEpoch: second * 1000))
    }

    private static func write(_ second: Int64, to tag: String = "v1") -> JournalEntry { .intent(intent(second, to: tag)) }

    private static func receipt(_ second: Int64, _ ending: JournalEntry.Receipt.Ending) -> JournalEntry {
        .receipt(.init(intent(second), ending))
    }
}

extension Timestamp {
    fileprivate static let zero = Timestamp(millisecondsSinceEpoch: 0)
}
