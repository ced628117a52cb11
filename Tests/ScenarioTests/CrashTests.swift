import HTTPCore
import SandboxServer
import Simulators
import TestPrograms
import Testing

/// The process is really killed, at every boundary of a pass, in large scenarios at every fifth; the passes after it must end as if nothing had happened.
@Suite(.serialized) struct CrashTests {
    @Test(arguments: Scenario.all)
    func killedAnywhereTheWorldEndsTheSameAndNoEffectIsDoubled(_ scenario: Scenario) async throws {
        let run = try await Run.begin(scenario)
        let undisturbed = try await run.reconcile(2)
        try #require(undisturbed.status == 0, "\(undisturbed.output)\(undisturbed.errors)")
        let expected = try await run.ending()
        #expect(!expected.isEmpty)
        let counts = try Counts(undisturbed.output)
        try await run.end()
        #expect(counts.journal >= 4 && counts.writes >= 1, "a pass that writes goes through these boundaries")

        // Some at a time: a run waits more than it works.
        // 5 is prime to the kinds of boundaries, so that all of them are among those of a large scenario.
        let boundaries = counts.boundaries.enumerated().filter { !scenario.isLarge || $0.offset % 5 == 0 }.map(\.element)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, boundary) in boundaries.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask { try await Self.kill(scenario, at: boundary, expecting: expected) }
            }
            try await group.waitForAll()
        }
    }

    private static func kill(_ scenario: Scenario, at boundary: String, expecting expected: String) async throws {
        let run = try await Run.begin(scenario)
        if boundary.hasPrefix("write-during") {
            // Held back for longer than the process lives. Times out of the way of what comes after.
            for method in ["POST", "PATCH", "PUT", "DELETE"] { run.sandbox.server.faults.add(.heldBack(method)) }
        }
        let killed = try await run.reconcile(2, killedAt: boundary)
        // A lease that is kept up takes a request more or fewer, as time goes.
        let isPassedBy = killed.status == 0 && (try? Counts(killed.output).boundaries.contains(boundary)) == false
        #expect(killed.status == 128 + 9 || isPassedBy, "\(scenario) \(boundary): it was not killed: \(killed.output)")
        var last = killed
        for _ in 0..<4 where last.status != 0 { last = try await run.reconcile(2) }
        #expect(last.status == 0, "\(scenario) \(boundary): it never converges: \(last.output)\(last.errors)")
        let ending = try await run.ending()
        #expect(ending == expected, "\(scenario) \(boundary)")
        let count = try run.journal().split(separator: "\n").count
        let again = try await run.reconcile(2)
        let added = try run.journal().split(separator: "\n").dropFirst(count)
        #expect(
            again.status == 0 && again.output.hasPrefix("journal 0 writes 0"),
            "\(scenario) \(boundary): it does not stay: \(again.output)\(added.joined(separator: "\n"))")
        try await run.end()
    }
}

/// Through how many boundaries an undisturbed pass goes.
private struct Counts {
    var journal: Int
    var writes: Int

    /// - Parameter output: of the subject: `journal 12 writes 2`.
    init(_ output: String) throws {
        let words = output.split(whereSeparator: \.isWhitespace)
        journal = Int(try #require(words.count >= 4 ? words[1] : nil)) ?? 0
        writes = Int(words[3]) ?? 0
    }

    var boundaries: [String] {
        (1...max(1, journal)).flatMap { ["journal-before:\($0)", "journal-after:\($0)"] }
            + (1...max(1, writes)).flatMap { ["write-before:\($0)", "write-during:\($0)", "write-after:\($0)"] }
    }
}

extension Fault {
    fileprivate static func heldBack(_ method: String) -> Fault {
        Fault(method: .init(rawValue: method), .delay(.seconds(25)))
    }
}
