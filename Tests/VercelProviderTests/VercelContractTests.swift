import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

@Suite struct VercelContractTests {
    struct Fixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld { try VercelStage.make().world }
    }

    @Test(arguments: Clause.all) func keeps(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: Fixture())
        #expect(violation == nil)
    }
}
