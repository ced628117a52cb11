import DatabaseServers
import TestPrograms
import Testing

/// The new release cannot live with its own schema and crashes: nothing that is broken before the rollback may block it, and no down
/// migration runs while an instance of what departs is left.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(5))) struct CrashingReleaseTests {
    @Test(arguments: [true, false]) func theRollbackGoesThroughAndTheSchemaWaitsForTheLastInstance(isChecked: Bool) async throws {
        try await Service.with(.postgres, crashing: ["v2"]) { service in
            try service.ship.write(Operator.stem(1), up: "CREATE TABLE t1 (id integer);", down: "DROP TABLE t1;")
            try service.ship.write(
                Operator.stem(2), up: "ALTER TABLE t1 ADD COLUMN n integer; INSERT INTO t1 VALUES (1, 1);",
                down: "\(Gate.statement(1)) ALTER TABLE t1 DROP COLUMN n;")
            service.pin("v1", requires: ">=\(Operator.version(1))", isChecked: isChecked)
            try await service.ship.arrive(at: Operator.stem(1))

            service.pin("v2", requires: ">=\(Operator.version(2))", isChecked: isChecked)
            service.health.isHealthy = false
            let forward = try await service.ship.move(to: Operator.stem(2))
            #expect(forward.status == 1, "\(forward.told)")
            #expect(try await service.ship.versions().count == 2)
            #expect(try await service.images().contains("v2"), "an instance is there, and it crashes")

            // Everything is still broken when the rollback begins; it becomes well when the old release is there again.
            let gate = try await Gate(service.ship)
            try await gate.shut(1)
            service.pin("v1", requires: ">=\(Operator.version(1))", isChecked: isChecked)
            let plan = try await service.ship.plan(Operator.stem(1))
            #expect(plan.phases.contains("retreat"), "the component leaves before the schema: \(plan.phases)")
            #expect(plan.digest != nil, "a value would be lost")
            let ship = service.ship
            async let rollback = ship.once(Operator.stem(1), approving: plan.digest)
            try await gate.awaitArrival(1)
            #expect(try await service.images() == ["v1"], "no instance of what departs when the down migration runs")
            service.health.isHealthy = true
            try await gate.open(1)
            let ended = try await rollback
            #expect(ended.status == 0, "\(ended.told)")
            #expect(try await service.ship.versions() == [Operator.version(1)])
            #expect(try await service.images() == ["v1"])
            await gate.close()
        }
    }

    /// The release never came up, so nothing is recorded of it but what its pin said.
    @Test func aReleaseThatNeverCameUpCountsWithTheWindowOfItsPin() async throws {
        try await Service.with(.sqlite, crashing: ["v2"]) { service in
            try service.ship.write(Operator.stem(1), up: "CREATE TABLE t1 (id integer);", down: "DROP TABLE t1;")
            try service.ship.write(
                Operator.stem(2), up: "ALTER TABLE t1 ADD COLUMN n integer;", down: "ALTER TABLE t1 DROP COLUMN n;")
            service.pin("v1")
            try await service.ship.arrive(at: Operator.stem(1))
            service.pin("v2", requires: ">=\(Operator.version(2))")
            #expect(try await service.ship.move(to: Operator.stem(2)).status == 1)
            #expect(try await service.images().contains("v2"))
            // Somebody says only now that the old release does not tolerate the new schema: then nothing can go first.
            service.pin("v1", requires: "<=\(Operator.version(1))")
            let ended = try await service.ship.move(to: Operator.stem(1))
            expectStop(ended, 3, "IncompatibleWindows")
            #expect(try await service.ship.versions().count == 2, "the schema does not move under an instance that needs it")
        }
    }
}
