import FoundationEssentials
import SpecFields
import SpecLoading
import Testing

/// Serialised: the memory that is measured is the whole process's.
@Suite(.serialized) struct HostileInputTests {
    /// SplitMix64: the same texts in every run.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let growthLimit = 200 << 10

    @Test(.timeLimit(.minutes(2))) func tenThousandRandomByteStringsAreSurvived() throws {
        var random = Generator(state: 1)
        let before = try peakKilobytes()
        var mistakes = 0
        for round in 0..<10_000 {
            let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                // Half of them from YAML's own characters, which lead deeper than bytes of all kinds.
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &random)
                    : Array("-:?[]{},&*!|>'\"%@` \n\ta1~<#".utf8).randomElement(using: &random) ?? 0
            }
            mistakes += loader.load([SourceFile(name: "r.yaml", bytes: bytes)]).diagnostics.count
        }
        #expect(mistakes >= 10_000, "none of them is a system")
        #expect(try peakKilobytes() - before < Self.growthLimit)
    }

    @Test(.timeLimit(.minutes(2))) func tenThousandMutatedSpecsAreSurvived() throws {
        var random = Generator(state: 2)
        let before = try peakKilobytes()
        let original = Array(wholeSystem.utf8)
        let pieces = [
            "\n", "  ", ": ", "- ", "&a ", "*a", "{", "}", "[", "]", "'", "\"", "|\n", "~", "\t", "<<: ", "---\n", "\u{FEFF}", "é", "!x ",
            "? ",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place..<end)
                case 2: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
                case 3: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
                default: bytes = Array(bytes[..<end])
                }
                if bytes.isEmpty { bytes = [0x0A] }
            }
            let result = loader.load([SourceFile(name: "m.yaml", bytes: bytes)])
            #expect(!result.systems.isEmpty || !result.diagnostics.isEmpty)
            #expect(result.diagnostics.allSatisfy { $0.line > 0 && $0.column > 0 && $0.description.utf8.count < 2000 })
            accepted += result.diagnostics.isEmpty ? 1 : 0
        }
        #expect((1..<5000).contains(accepted), "\(accepted) of the mutations changed nothing that counts")
        #expect(try peakKilobytes() - before < Self.growthLimit)
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (String(repeating: "[", count: 1 << 20), "nested"), (String(repeating: "- ", count: 1 << 20), "nested in a block"),
            (String(repeating: "- a\n", count: 1 << 20), "long"), (String(repeating: "a", count: 4 << 20), "one word"),
            (String(repeating: "\"\\x41", count: 1 << 18), "escapes"), (String(repeating: "&a *a ", count: 1 << 16), "aliases"),
            ((0..<100_000).map { "k\($0): v\n" }.joined(), "unknown fields"),
            ((0..<100_000).map { _ in "k: v\n" }.joined(), "one field, always"),
            (String(repeating: "#\n", count: 2 << 20), "comments"), (String(repeating: "---\n", count: 1 << 18), "documents"),
            (String(repeating: "x", count: 5 << 20), "too large"),
            (
                system((0..<5000).map { "c\($0): {ship: {project: p\($0)}, release: v, after: [c\($0 + 1)]}" }.joined(separator: ",\n")),
                "a long chain"
            ),
            (
                system(
                    (0..<5000).map { "c\($0): {ship: {project: p\($0)}, release: v, after: [c\(($0 + 1) % 5000)]}" }.joined(
                        separator: ",\n")), "a long circle"
            ),
            (
                system("a: {ship: {project: x}, release: v" + (0..<30_000).map { ", relase\($0): 1" }.joined() + "}"),
                "unknown fields of a component"
            ),
            (
                system("a: {ship: {project: x}, release: v, after: [" + (0..<30_000).map { "b\($0)" }.joined(separator: ",") + "]}"),
                "references to nothing"
            ),
            (
                system(
                    "a: {ship: {project: x}, release: v, after: [" + (0..<30_000).map { "b\($0)" }.joined(separator: ",") + "]}, "
                        + (0..<5_000).map { "c\($0): {ship: 1}" }.joined(separator: ",\n")), "references and components"
            ),
        ].map(Large.init))
    func largeTextsAreAnsweredWithinMemory(_ large: Large) throws {
        let before = try peakKilobytes()
        let result = load(large.text)
        #expect(!result.diagnostics.isEmpty)
        #expect(try peakKilobytes() - before < Self.growthLimit)
    }

    /// Named by what it is: the text itself would fill the log.
    struct Large: Sendable, CustomTestStringConvertible {
        var text: String
        var why: String
        var testDescription: String { why }
    }

    @Test func aBillionLaughsAreRefused() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...12 {
            text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
        }
        #expect(load(text).lines == ["s.yaml:6:15: more than 200000 values, counting what aliases stand for; split the file"])
    }

    /// The most memory that the process ever had resident.
    private func peakKilobytes() throws -> Int {
        let status = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? Int(line.filter(\.isNumber)))
    }
}
