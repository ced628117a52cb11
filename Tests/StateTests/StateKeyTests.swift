import FoundationEssentials
import Model
import Testing

@testable import State

/// The key of keyed hashes that the store keeps.
@Suite struct StateKeyTests {
    private func path(_ directory: TemporaryDirectory) -> String {
        StateDirectory(root: directory.path, system: SystemID(name: "shop")).key
    }

    @Test func readingMakesNone() async throws {
        let directory = try TemporaryDirectory()
        #expect(try await directory.store().hashKey(making: false) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test func itIsMadeOnceForItsOwnerAlone() async throws {
        let directory = try TemporaryDirectory()
        let key = try #require(try await directory.store().hashKey(making: true))
        #expect(key.count == 32 && Set(key).count > 8, "random")
        #expect(try await directory.store().hashKey(making: true) == key)
        #expect(try await directory.store().hashKey(making: false) == key)
        #expect(try await directory.store("other").hashKey(making: true) != key, "each system has its own")
        #expect(try mode(of: path(directory)) == 0o600)
        let folder = String(path(directory).dropLast("/key".count))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["key"], "nothing else is left")
    }

    @Test func twoThatMakeItAtOnceHaveTheSame() async throws {
        let directory = try TemporaryDirectory()
        let keys = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<16 { group.addTask { try await directory.store().hashKey(making: true) } }
            return try await group.reduce(into: Set<[UInt8]?>()) { $0.insert($1) }
        }
        #expect(keys.count == 1)
        #expect(try await directory.store().hashKey(making: false) == keys.first)
    }

    @Test(arguments: [
        ("", "empty"), ("abc\n", "too short"), (String(repeating: "g", count: 64), "no digits"),
        (String(repeating: "+1", count: 32), "signs"),
        (String(repeating: "é", count: 32), "64 bytes that are no digits"),
    ])
    func aDamagedKeyIsToldAndNotReplaced(text: String, why: String) async throws {
        let directory = try TemporaryDirectory()
        _ = try await directory.store().hashKey(making: true)
        let path = path(directory)
        try write(Array(text.utf8), to: path)
        for making in [true, false] {
            let error = await #expect(throws: StateError.self, "\(why)") { try await directory.store().hashKey(making: making) }
            #expect(error?.message == "\(path) is not a key of 64 hexadecimal digits")
            #expect(error?.next == "restore it from a backup; or remove it, then configuration values are compared anew")
        }
        #expect(try bytes(of: path) == Array(text.utf8))
    }
}
