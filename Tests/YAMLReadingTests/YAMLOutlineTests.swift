import Testing
import YAMLReading

/// Where values stand, byte by byte.
@Suite struct YAMLOutlineTests {
    @Test(arguments: [
        ("a word", "a: v1 # c\n", "v1"), ("quotes belong to it", "a: 'v1'\n", "'v1'"),
        ("an anchor and a tag too", "a: &x !!str v1\n", "&x !!str v1"),
        ("bytes, not characters", "ü: 日本 # 🧗\na: é\n", "é"), ("behind a byte order mark", "\u{FEFF}a: v1\n", "v1"),
        ("with the line ends of Windows", "b: |\r\n  x\r\na: v1\r\n", "v1"), ("nothing is written", "a: # c\n", ""),
        ("a literal block ends with its last line that is not blank", "a: |\n  x\n\n  y\n\n# c\nb: 1\n", "|\n  x\n\n  y"),
        ("a mapping of lines ends with its last value", "a:\n  b: 1 # c\n  c: 2 # d\n# e\n", "b: 1 # c\n  c: 2"),
        ("a list of lines ends with its last item", "a:\n- 1\n- 2\n\nb: 1\n", "- 1\n- 2"),
        ("braces belong to it", "a: {b: 1, c: [2]} # c\n", "{b: 1, c: [2]}"), ("an alias stays one", "b: &x 1\na: *x\n", "*x"),
        ("over several lines", "a: \"x\n  y\"\n", "\"x\n  y\""),
    ])
    func theRangeOfAValueIsWhatItsAuthorWrote(_ why: String, _ text: String, _ written: String) throws {
        let bytes = Array(text.utf8)
        let outline = try YAMLOutline(reading: bytes)
        let entry = try #require(outline.documents.first?.entries.first { $0.key == "a" }, "\(why)")
        #expect(String(decoding: bytes[entry.value.range], as: UTF8.self) == written, "\(why)")
        #expect(String(decoding: bytes[entry.keyRange], as: UTF8.self) == "a", "\(why)")
    }

    @Test func documentsAreThoseOfTheStream() throws {
        let bytes = Array("a: 1\n---\n# nothing\n---\nb: 2\n...\n".utf8)
        #expect(try YAMLOutline(reading: bytes).documents.count == YAMLStream(reading: bytes).documents.count)
        let deep = Array((String(repeating: "[", count: 100) + String(repeating: "]", count: 100)).utf8)
        let problem = #expect(throws: YAMLProblem.self) { try YAMLOutline(reading: deep) }
        #expect(problem?.code == .limit)
    }
}
