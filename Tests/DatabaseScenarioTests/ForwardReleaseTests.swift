import DatabaseServers
import JSONValues
import TestPrograms
import Testing

/// A release that adds to the schema before and takes away from it afterwards, killed at every boundary of its plan: nothing is taken away
/// before the checks of exactly this target have passed.
@Suite(.timeLimit(.minutes(60))) struct ForwardReleaseTests {
    /// Three migrations: a table, a column that is added, a column that is taken away.
    private static func with(_ body: (inout Service) async throws -> Void) async throws {
        try await Service.with(.sqlite) { service in
            service.ship.variables["BELAY_KEY"] = .some(nil)
            try service.ship.write(
                Operator.stem(1), up: "CREATE TABLE t1 (id integer, old text);\nINSERT INTO t1 VALUES (1, 'x');", down: "DROP TABLE t1;")
            try service.ship.write(
                Operator.stem(2), up: "ALTER TABLE t1 ADD COLUMN new text;", down: "ALTER TABLE t1 DROP COLUMN new;")
            try service.ship.write(
                Operator.stem(3), up: "ALTER TABLE t1 DROP COLUMN old;", down: "ALTER TABLE t1 ADD COLUMN old text;")
            service.pin("v1", requires: ">=\(Operator.version(1))", isChecked: true)
            let ended = try await service.pass(to: 1)
            try #require(ended.status == 0, "\(ended.told)")
            service.pin("v2", requires: ">=\(Operator.version(2))", isChecked: true)
            service.health.passed = 0
            try await body(&service)
        }
    }

    /// All boundaries of an undisturbed way: `journal-before:3`, `write-after:1`, ….
    private static func boundaries() async throws -> [String] {
        var found: [String] = []
        try await with { service in
            let ended = try await service.pass(to: 3)
            try #require(ended.status == 0, "\(ended.told)")
            #expect(try await service.hasTakenAway())
            let words = ended.output.split(whereSeparator: \.isWhitespace)
            let journal = Int(try #require(words.count >= 4 ? words[1] : nil)) ?? 0
            let writes = Int(words[3]) ?? 0
            #expect(journal >= 6 && writes > 0, "\(ended.told)")
            found =
                (1...max(1, journal)).flatMap { ["journal-before:\($0)", "journal-after:\($0)"] }
                + (1...max(1, writes)).flatMap { ["write-before:\($0)", "write-during:\($0)", "write-after:\($0)"] }
        }
        return found
    }

    /// In the short run a third of them, another one for every test.
    private static func chosen(_ third: Int) async throws -> [String] {
        try await boundaries().enumerated().filter { TestLength.isLong || $0.offset % 3 == third }.map(\.element)
    }

    @Test func whereTheChecksFailNothingIsTakenAwayWhereverItIsKilled() async throws {
        for boundary in try await Self.chosen(0) {
            try await Self.with { service in
                service.health.isHealthy = false
                let killed = try await service.pass(to: 3, killedAt: boundary)
                #expect(killed.status != 0, "\(boundary): \(killed.told)")
                #expect(try await !service.hasTakenAway(), "\(boundary)")
                let again = try await service.pass(to: 3)
                #expect(again.status != 0, "\(boundary): \(again.told)")
                #expect(try await !service.hasTakenAway(), "\(boundary), and another pass")
                service.health.isHealthy = true
                try await service.settle(at: 3, boundary)
                #expect(try await service.hasTakenAway(), "\(boundary)")
                #expect(service.health.passed > 0, "\(boundary)")
            }
        }
    }

    @Test func whereTheChecksPassItArrivesWhereverItIsKilled() async throws {
        for boundary in try await Self.chosen(1) {
            try await Self.with { service in
                let killed = try await service.pass(to: 3, killedAt: boundary)
                if killed.endedBefore(boundary) { return }
                #expect(killed.status != 0, "\(boundary): it was not killed: \(killed.told)")
                var isTakenAway = try await service.hasTakenAway()
                #expect(!isTakenAway || service.health.passed > 0, "\(boundary): taken away before any check passed")
                // It becomes unwell just now: what no check has passed for waits.
                let hadPassed = service.health.passed > 0
                service.health.isHealthy = false
                _ = try await service.pass(to: 3)
                isTakenAway = try await service.hasTakenAway()
                #expect(!isTakenAway || hadPassed, "\(boundary): taken away though no check has ever passed")
                service.health.isHealthy = true
                try await service.settle(at: 3, boundary)
                #expect(try await service.hasTakenAway(), "\(boundary)")
            }
        }
    }

    /// What passed for one target counts for no other: the pin moves on to where more is taken away, and now the release is not well.
    @Test func checksThatPassedForAnotherTargetDoNotCount() async throws {
        for boundary in try await Self.chosen(2) where boundary.hasPrefix("journal") {
            try await Self.with { service in
                let killed = try await service.pass(to: 3, killedAt: boundary)
                if killed.endedBefore(boundary) { return }
                #expect(killed.status != 0, "\(boundary): it was not killed: \(killed.told)")
                let wasTakenAway = try await service.hasTakenAway()
                try service.ship.write(
                    Operator.stem(4), up: "ALTER TABLE t1 DROP COLUMN new;", down: "ALTER TABLE t1 ADD COLUMN new text;")
                service.health.isHealthy = false
                let ended = try await service.pass(to: 4)
                #expect(ended.status != 0, "\(boundary): \(ended.told)")
                #expect(try await service.hasTakenAway() == wasTakenAway, "\(boundary)")
                #expect(try await !service.hasTakenAway(4), "\(boundary)")
                service.health.isHealthy = true
                try await service.settle(at: 4, boundary)
            }
        }
    }
}

extension Service {
    /// One run of the program put together with places where it can be killed; whatever would be lost is approved.
    fileprivate func pass(to number: Int, killedAt boundary: String? = nil) async throws -> BuiltProgram.Ended {
        let pin = Operator.stem(number)
        try await ship.letTheLeaseExpire()
        let digest = try await ship.plan(pin).digest
        return try await BuiltProgram("crash-subject").run(
            [ship.spec(pin, approve: digest), ship.place.path("state-\(ship.name)"), String(Self.speed)] + (boundary.map { [$0] } ?? []),
            variables: ship.environment, in: ship.place.root)
    }

    fileprivate func settle(at number: Int, _ note: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var last: BuiltProgram.Ended?
        for _ in 0..<4 {
            let ended = try await pass(to: number)
            last = ended
            if ended.status == 0 { break }
        }
        #expect(last?.status == 0, "\(note): \(last?.told ?? "")", sourceLocation: sourceLocation)
        #expect(
            try await ship.versions() == (1...number).map(Operator.version), "\(note)", sourceLocation: sourceLocation)
    }

    /// Whether the migration that takes something away has run.
    fileprivate func hasTakenAway(_ number: Int = 3) async throws -> Bool {
        try await ship.versions().contains(Operator.version(number))
    }
}

extension BuiltProgram.Ended {
    /// True if the run had fewer boundaries than that one's number, and so came to its end: one look more or less finds a release served.
    fileprivate func endedBefore(_ boundary: String) -> Bool {
        let words = output.split(whereSeparator: \.isWhitespace)
        guard status == 0, words.count >= 4, let number = boundary.split(separator: ":").last.flatMap({ Int($0) }) else { return false }
        return Int(words[boundary.hasPrefix("journal") ? 1 : 3]).map { $0 < number } ?? false
    }
}
