import ConfigurationValues
import FoundationEssentials
import Model
import ProviderKit
import TestPrograms
import Testing

private struct ShipTarget: Target {
    static let provider = "ship"
    var identity: String { "x" }
}

@Suite struct ConfigurationReaderTests {
    private let key = ConfigurationKey([UInt8](repeating: 7, count: 32), seals: true)

    private func read(
        _ sources: [String: Configuration.Source], policy: Configuration.Policy = .named, restores: Bool = false,
        variables: [String: String] = [:], more: [String: Secret] = [:], secrets: ConfigurationReader.SecretReading? = nil
    ) async -> Result<DesiredConfiguration?, ConfigurationProblems> {
        let component = Component(
            name: "web", target: ShipTarget(), release: .name("v1"),
            configuration: Configuration(sources: sources, policy: policy, restores: restores))
        let reader = secrets.map { ConfigurationReader(variables: variables, readSecret: $0) } ?? ConfigurationReader(variables: variables)
        return await reader.read(component, key, more: more)
    }

    /// The one value, or every problem as a person reads it.
    private func value(
        _ source: Configuration.Source, variables: [String: String] = [:], secrets: ConfigurationReader.SecretReading? = nil
    ) async -> Result<String, ConfigurationProblems> {
        await read(["A": source], variables: variables, secrets: secrets).map { $0?.values["A"]?.secret.reveal() ?? "(nothing)" }
    }

    @Test func withoutAnythingAskedForItIsNotManaged() async throws {
        #expect(try await read([:]).get() == nil)
        #expect(try await read([:], policy: .exact).get() == DesiredConfiguration(isExact: true))
        #expect(try await read([:], restores: true).get()?.restores == true)
        #expect(try await read([:], policy: .exact, restores: true).get()?.restores == false, "it would be removed again")
    }

    @Test func valuesComeWithTheirFingerprintsAndWhetherTheyAreReferences() async throws {
        let desired = try #require(
            try await read(
                ["A": .literal("1"), "B": .environment("X")], variables: ["X": "2"], more: ["A": Secret("old"), "C": Secret("3")]
            ).get())
        #expect(
            desired.values.mapValues { $0.secret.reveal() } == ["A": "1", "B": "2", "C": "3"], "the spec's own stand above what comes back")
        #expect(desired.values.mapValues(\.isReference) == ["A": false, "B": true, "C": true])
        for (name, value) in desired.values { #expect(value.fingerprint == key.fingerprint(name, value.secret)) }
    }

    @Test(arguments: [
        ("hunter2", "hunter2", "no newline"), ("hunter2\n", "hunter2", "the last newline"), ("hunter2\r\n", "hunter2", "of Windows too"),
        ("a\nb\n\n", "a\nb\n", "only the last"), ("  x ", "  x ", "blanks stay"),
    ])
    func aFileIsReadWithoutItsLastNewline(text: String, expected: String, why: String) async throws {
        let place = try Place()
        let path = try place.write("token", text)
        #expect(try await value(.file(path)).get() == expected, "\(why)")
        // As Kubernetes mounts them.
        try FileManager.default.createSymbolicLink(atPath: place.path("link"), withDestinationPath: "token")
        #expect(try await value(.file(place.path("link"))).get() == expected)
        try place.remove()
    }

    @Test(arguments: [
        ("missing", "cannot be read; check that it is there, and the permissions of its directory"),
        ("directory", "is no file of UTF-8 text of at most 64 KiB; name a text file"),
        ("binary", "is no file of UTF-8 text of at most 64 KiB; name a text file"),
        ("large", "is no file of UTF-8 text of at most 64 KiB; name a text file"),
        ("empty", "is empty; check what sets it; an empty value is written \"\" in the spec"),
    ])
    func aFileThatCannotServeIsToldWithItsPath(name: String, expected: String) async throws {
        let place = try Place()
        try place.write("directory/hunter2", "")
        try Data([0x68, 0xFF]).write(to: URL(filePath: place.path("binary")))
        try place.write("large", String(repeating: "x", count: 65537))
        try place.write("empty", "\n")
        let path = place.path(name)
        #expect(
            problems(await value(.file(path))) == ["component/web: the value of A should come from the file \(path), which \(expected)"])
        try place.write("large", String(repeating: "x", count: 65536))
        #expect(try await value(.file(place.path("large"))).get().count == 65536)
        try place.remove()
    }

    @Test func aVariableThatIsMissingOrEmptyIsTold() async throws {
        #expect(
            problems(await value(.environment("X"))) == [
                "component/web: the value of A should come from the variable X, which is not set; set X"
            ])
        #expect(
            problems(await value(.environment("X"), variables: ["X": ""])) == [
                "component/web: the value of A should come from the variable X, which is empty; check what sets it; an empty value is written \"\" in the spec"
            ], "as a CI sets it that does not pass a secret on")
        #expect(try await value(.literal("")).get() == "", "said in the spec, it is meant")
    }

    @Test func aSecretIsReadWhereThereIsACluster() async throws {
        let source = Configuration.Source.kubernetesSecret(namespace: "prod", name: "shop", key: "token")
        #expect(
            problems(await value(source)) == [
                "component/web: the value of A should come from a Secret: Secret shop cannot be read here: there is no cluster"
            ])
        let found = await value(source) { namespace, name, key in .success(Secret("\(namespace ?? "-")/\(name)/\(key)")) }
        #expect(try found.get() == "prod/shop/token")
        #expect(
            problems(await value(source) { _, _, _ in .success(Secret("")) }) == [
                "component/web: the value of A should come from token of the Secret shop, which is empty; check what sets it; an empty value is written \"\" in the spec"
            ])
    }

    @Test func everyProblemIsToldAtOnceAndNoValue() async throws {
        let place = try Place()
        let binary = place.path("binary")
        try Data(Array("hunter2".utf8) + [0xFF]).write(to: URL(filePath: binary))
        let result = await read(
            ["A": .environment("X"), "B": .literal("hunter2"), "C": .file(binary), "D": .literal("hunter2\u{0}"), "E": .environment("Y")],
            variables: ["Y": "hunter2"])
        let found = try #require(throws: ConfigurationProblems.self) { try result.get() }
        #expect(
            found.problem.description
                == "component/web: the value of A should come from the variable X, which is not set; "
                + "component/web: the value of C should come from the file \(binary), which is no file of UTF-8 text of at most 64 KiB; "
                + "component/web: the value of D holds a zero byte, which no variable can; set X; name a text file; give it a value that is text"
        )
        #expect(found.all.map(\.reason) == ["ValueMissing", "ValueUnusable", "ValueUnusable"])
        #expect(!"\(result)".contains("hunter2"))
        #expect(!"\(await read(["B": .literal("hunter2")]))".contains("hunter2"))
        try place.remove()
    }

    private func problems(_ result: Result<String, ConfigurationProblems>) -> [String] {
        guard case .failure(let problems) = result else { return [] }
        return problems.all.map(\.description)
    }
}
