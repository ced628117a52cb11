import Flags
import HTTPCore
import Model
import ProviderKit
import Simulators
import SpecFields
import Testing
import YAMLReading

/// The stores' fields in a spec.
@Suite struct TargetTests {
    private static func read(_ text: String) throws -> (target: (any FlagTarget)?, mistakes: [String]) {
        let node = try YAMLNode(reading: Array(text.utf8))
        let reading = SpecReading(file: "spec.yaml")
        guard let entry = node.mapping?.entries.first, let kind = FlagStores.kinds.first(where: { $0.name == entry.key }) else {
            return (nil, [])
        }
        let target = kind.read(entry.value, reading)
        return (target, reading.diagnostics.map(\.message))
    }

    @Test(
        arguments: [
            ("sql: {database: main}", "main/feature_flags"), ("sql: {database: main, table: app.flags}", "main/app.flags"),
            ("flagd: {file: ./a/../flags.json}", "flags.json"),
            ("configMap: {namespace: prod, name: flags}", "(current)/prod/flags/flags.json"),
            ("configMap: {namespace: prod, name: flags, key: f.json, context: east}", "east/prod/flags/f.json"),
            ("edgeConfig: {id: ecfg_1a, team: acme}", "ecfg_1a/flags"), ("edgeConfig: {id: ecfg_1a, item: f}", "ecfg_1a/f"),
        ] as [(String, String)])
    func aTargetIsRead(_ text: String, _ identity: String) throws {
        let (target, mistakes) = try Self.read(text)
        #expect(mistakes.isEmpty)
        #expect(target?.identity == identity)
        #expect(target?.database == (text.hasPrefix("sql") ? "main" : nil))
    }

    @Test(
        arguments: [
            (
                "sql: {database: main, table: 'a; DROP TABLE b'}",
                "expected the name of a table, or a schema's and a table's with a '.' in between"
            ),
            ("sql: {database: main, table: a.b.c}", "expected the name of a table, or a schema's and a table's with a '.' in between"),
            ("edgeConfig: {id: flags}", "expected an id that begins with ecfg_"),
            ("edgeConfig: {id: ecfg_1, item: a b}", "expected a key of letters, digits, '-' and '_', at most 256"),
            ("configMap: {namespace: prod, name: flags, key: a/b}", "expected letters, digits, '-', '_' and '.', at most 253"),
            ("flagd: {file: flags/}", "expected the path of a file, without control characters"),
        ] as [(String, String)])
    func aMistakeIsTold(_ text: String, _ message: String) throws {
        #expect(try Self.read(text).mistakes == [message])
    }

    @Test func aFileIsFoundBesideItsSpec() {
        #expect((FlagdTarget(file: "f.json").resolvingPaths { "/spec/\($0)" }).file == "/spec/f.json")
    }

    @Test func aStoreThatLacksItsCredentialsSaysWhatToSet() {
        let environment = ProviderEnvironment(
            variables: [:], transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) })
        let store = FlagStores(environment).store(for: EdgeConfigTarget(id: "ecfg_a")) { _ in .failure(Problem("None", "none")) }
        guard case .failure(let problem) = store else {
            Issue.record("connected without a token")
            return
        }
        #expect(problem.reason == "TokenMissing")
    }

    @Test func aDatabaseThatCannotBeReachedIsUnknownAndRefused() async throws {
        let environment = ProviderEnvironment(
            variables: [:], transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) })
        let problem = Problem("DatabaseUnreachable", "main: no answer")
        let target = SQLFlagTarget(database: "main")
        let store = try FlagStores(environment).store(for: target) { _ in .failure(problem) }.get()
        #expect(await store.observe(["a"], in: target)["a"]?.problem == problem)
        let change = FlagChange(name: "a", from: nil, to: .off, marker: nil)
        #expect(await store.apply([change], to: target, reason: "") == .refused(problem))
    }
}
