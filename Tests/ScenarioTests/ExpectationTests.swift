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
        #expect(journal == (try scenario.text("journal.txt")), "written was:\n\(journal)")
    }

    /// The revision is a digest that holds the temporary directory's name.
    private static func withoutRevision(_ text: String) -> String {
        text.split(separator: "sha256:", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 0 ? String(part) : "sha256:…" + part.dropFirst(12)
        }.joined()
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
            let ending = body?["ending"]?.string ?? body?["route"]?["means"]?.string
            return [kind, body?["resource"]?.string, ending].compactMap { $0 }.joined(separator: " ") + "\n"
        }.joined()
    }
}
