import JSONValues
import Model
import State
import StateContract
import Testing

/// What the books say of effects and a journal that were made up.
@Suite struct BooksTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var promotions = ["dpl_1", "dpl_2"]
        var updates = [("m1", "sha256:1"), ("m2", "sha256:1")]
        var rollouts = 1
        /// Requests to serve a deployment.
        var requests = 2
        /// The components of the writes, in their order.
        var writes = ["web", "web", "worker", "worker", "api"]
        /// Of the first write.
        var ending = JournalEntry.Receipt.Ending.tookEffect
        var problems: [String] = []

        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "as many effects as writes"),
        Case(
            why: "there and back", promotions: ["dpl_1", "dpl_2", "dpl_1"], requests: 3,
            writes: ["web", "web", "web", "worker", "worker", "api"]),
        Case(
            why: "one more than was announced", promotions: ["dpl_1", "dpl_2", "dpl_1"],
            problems: ["web: 3 effects of 2 writes: [\"production dpl_1\", \"production dpl_2\", \"production dpl_1\"]"]),
        Case(
            why: "the same twice, and announced twice", promotions: ["dpl_1", "dpl_1"], problems: ["web: twice: production dpl_1"]),
        Case(
            why: "a machine that gets twice the same", updates: [("m1", "sha256:1"), ("m2", "sha256:1"), ("m1", "sha256:1")],
            writes: ["web", "web", "worker", "worker", "worker", "api"], problems: ["worker: twice: m1 sha256:1"]),
        Case(why: "a request more than was announced", requests: 3, problems: ["web: 3 requests for 2 writes that were announced"]),
        Case(
            why: "a write that is said to be void", ending: .void,
            problems: ["web: 2 effects of 1 writes: [\"production dpl_1\", \"production dpl_2\"]"]),
        Case(why: "a rollout that nobody announced", rollouts: 2, problems: ["api: 2 effects of 1 writes: [\"rollout\", \"rollout\"]"]),
        Case(why: "a test in which nothing happens", rollouts: 0, problems: ["api: nothing happened"]),
    ]

    @Test(arguments: cases) func theyNameWhatIsDoubled(_ example: Case) throws {
        var records: [JournalRecord] = []
        for (number, name) in example.writes.enumerated() {
            let intent = Intent(
                id: "write \(number)", resource: .component(name),
                route: Route(.undo, means: "rollback", class: .instant, token: "", isIdempotent: true),
                resolution: Resolution(
                    pin: .name("v1"), identity: ArtifactIdentity(.image, "v1"), label: "v1", revision: Revision(.commit, "1")),
                providerTime: nil, written: .example)
            let receipt = JournalEntry.Receipt(intent, number == 0 ? example.ending : .tookEffect)
            for entry in [JournalEntry.intent(intent), .receipt(receipt)] {
                records.append(try JournalRecord.line(entry, at: .example, after: records.last).record)
            }
        }
        let promotions = example.promotions.map {
            JSON.object(JSONObject([("operation", "promote"), ("deployment", .string($0)), ("by", "api")]))
        }
        let updates = example.updates.map {
            JSON.object(JSONObject([("operation", "update"), ("machine", .string($0.0)), ("digest", .string($0.1)), ("by", "api")]))
        }
        let books = Books(
            vercel: ["projects": [["writes": .array(promotions)]]], fly: ["apps": [["writes": .array(updates)]]],
            rollouts: example.rollouts,
            promotions: example.requests, records: records)
        #expect(books.problems == example.problems)
    }
}
