import DatabaseServers
import FoundationEssentials
import TestPrograms
import Testing

/// What users of other tools were bitten by, thread by thread (contract migrations.md §2.1), each tried with the built program on real
/// databases. What two operators do to each other (tern#146, flyway#1654, golang-migrate#960) is in ``TwoOperatorsTests``.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(5))) struct UserPains {}

extension Operator {
    /// `t1`, `t2`, …: a table each.
    func writeTables(_ numbers: ClosedRange<Int>) throws {
        for number in numbers { try writeTable(number) }
    }

    func writeTable(_ number: Int, name: String = "m", more: String = "") throws {
        try write(
            Operator.stem(number, name), up: "CREATE TABLE t\(number) (id integer);\(more)", down: "DROP TABLE t\(number);")
    }
}

/// Expects a pass that is refused or fails for a reason.
func expectStop(
    _ ended: BuiltProgram.Ended, _ status: Int32, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        ended.status == status && ended.reasons.first == reason, "\(ended.told)",
        sourceLocation: sourceLocation)
}
