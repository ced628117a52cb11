import Testing

@testable import Migrations

struct TableKindTests {
    @Test(arguments: [
        (["version"], TableKind.dbmate), (["version", "dirty"], .golangMigrate), (["version", "name", "applied_at", "checksum"], .runbook),
        (["id", "version_id", "is_applied", "tstamp"], .goose), (["id", "applied_at"], .sqlMigrate), (["version", "run_on"], .diesel),
        (["id", "name", "run_on"], .nodePgMigrate), (["version", "stem", "applied_at"], .stem),
    ]) func columnsTellWhoseTableItIs(_ columns: [String], _ kind: TableKind) {
        #expect(TableKind(columns: Set(columns)) == kind)
    }
}
