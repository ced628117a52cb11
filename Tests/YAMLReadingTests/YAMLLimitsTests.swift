import Testing
import YAMLReading

@Suite struct YAMLLimitsTests {
    private func problem(_ text: String, _ limits: YAMLLimits = YAMLLimits()) -> String? {
        YAMLStream(reading: Array(text.utf8), limits: limits).problems.first?.description
    }

    @Test func aBillionLaughsAreRefusedBeforeTheyAreExpanded() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...12 {
            text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
        }
        #expect(problem(text) == "6:15: more than 200000 values, counting what aliases stand for; split the file")
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func deepNestingIsRefused(opening: String) {
        let found = problem(String(repeating: opening, count: 100_000)) ?? ""
        #expect(found.hasSuffix("nested more than 64 levels deep"), "\(found)")
    }

    @Test func sixtyFourLevelsAreRead() {
        #expect(problem(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)) == nil)
        #expect(problem(String(repeating: "[", count: 65) + String(repeating: "]", count: 65)) == "1:65: nested more than 64 levels deep")
    }

    @Test func depthCountsWhatAnAliasStandsFor() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(problem("a: &a \(deep)\nb: [[*a]]\n") == nil)
        let outer = String(repeating: "[", count: 30)
        #expect(problem("a: &a \(deep)\nb: \(outer)*a\(String(repeating: "]", count: 30))\n") == "2:34: nested more than 64 levels deep")
    }

    @Test func sizeIsBounded() {
        #expect(problem(String(repeating: "#", count: 11), YAMLLimits(bytes: 10)) == "1:1: the text has 11 bytes; at most 10 are read")
    }

    @Test func nodesAreBoundedOverAllDocuments() {
        #expect(
            problem("- a\n- b\n---\n- c\n", YAMLLimits(nodes: 4))
                == "4:3: more than 4 values, counting what aliases stand for; split the file")
    }
}
