import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// What a scenario's second spec is expected to lead to, written down beside it for people to read.
@Suite struct ExpectationTests {
    @Test(arguments: Scenario.all)
    func thePlanIsTheOneWrittenDown(_ scenario: Scenario) async throws {
        let run = try await Run.begin(scenario)
        let ended = try await run.plan(2)
        try await run.end()
        #expect(ended.status == 2)
        let plan = Self.withoutRevision(ended.output)
        #expect(plan == (try scenario.text("plan.txt")), "planned was:\n\(plan)")
    }

    @Test(arguments: Scenario.all)
    func theJournalIsTheOneWrittenDown(_ scenario: Scenario) async throws {
        let run = try await Run.begin(scenario)
        let ended = try await run.reconcile(2)
        let journal = try run.journal()
        try await run.end()
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        let expected = try scenario.text("journal.txt")
        #expect(Self.byResource(journal) == Self.byResource(expected), "written was:\n\(journal)")
    }

    /// What is written of one resource has an order; steps of several go side by side.
    private static func byResource(_ journal: String) -> [Substring?: [Substring]] {
        Dictionary(grouping: journal.split(separator: "\n")) { line in
            line.split(separator: " ").dropFirst().first { $0.contains("/") }
        }
    }

    /// The revision is a digest that holds the temporary directory's name.
    private static func withoutRevision(_ text: String) -> String {
        ["at sha256:", "transition to sha256:"].reduce(text) { text, mark in
            text.split(separator: mark, omittingEmptySubsequences: false).enumerated().map { index, part in
                index == 0 ? String(part) : "\(mark)…" + part.dropFirst(12)
            }.joined()
        }
    }
}

extension Run {
    /// What `reconcile plan` prints of a spec.
    func plan(_ number: Int) async throws -> BuiltProgram.Ended {
        let spec = try place.write("system.yaml", scenario.spec(number))
        return try await BuiltProgram("reconcile").run(["plan", "-f", spec, "--state", place.path("state")], variables: variables)
    }

    /// The journal, an entry a line: its kind, and whom it is about.
    func journal() throws -> String {
        let file = "state/default.shop/journal.jsonl"
        return try place.read(file).split(separator: "\n").map { line in
            let entry = try JSON(parsing: String(line))
            let kind = entry["kind"]?.string ?? ""
            let body = entry[kind]
            let ending = body?["ending"]?.string ?? body?["stage"]?.string ?? body?["route"]?["means"]?.string
            return [kind, body?["resource"]?.string, ending.map(Self.withoutLongIDs)].compactMap { $0 }.joined(separator: " ") + "\n"
        }.joined()
    }

    /// What is built has another id in every run.
    private static func withoutLongIDs(_ text: String) -> String {
        text.split(separator: " ").map { $0.hasPrefix("dpl_") && $0.utf8.count > 20 ? "dpl_…" : $0 }.joined(separator: " ")
    }
}
